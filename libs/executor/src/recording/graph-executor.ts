import { messageOf, seededRandom } from "@heddle/base";
import type { CompiledStep, Executor, Step, StepSpec } from "../port.ts";
import { drawInputs } from "../step-inputs.ts";
import { tfjsEnvironment } from "../tfjs/executor.ts";
import { compileOpByOp, leavingNothing, toTensors } from "../tfjs/op-by-op.ts";
import { loadTensorFlow, type LoadedTensorFlow, onBackend } from "../tfjs/tensorflow.ts";
import { type GraphParts, graphRun, graphStep, RECORDED_ROWS } from "./graph-step.ts";
import { NotRecordable } from "./not-recordable.ts";
import { graphInputs, type GraphInput, mergeRecordings, type Program } from "./program.ts";
import { record, type Recording } from "./record.ts";
import { changeSince } from "./replay.ts";
import type { Session } from "./session.ts";
import { disagreement } from "./verify.ts";

/** A library that runs graphs. */
export interface GraphRuntime {
  readonly kind: "onnx" | "tensorflow";
  /** Name and version: `onnx 1.30.0`. */
  readonly version: string;
  /** What else decides its bits. */
  readonly details: string;
  /**
   * Lowers a program and loads the graph.
   *
   * @throws {NotRecordable} naming what has no lowering.
   */
  open(program: Program, inputs: Readonly<Record<string, GraphInput>>): Promise<Session>;
}

/** The executor that records a step once and runs it as one graph of a runtime, checked against TensorFlow.js. */
export async function openGraphExecutor(runtime: GraphRuntime): Promise<Executor> {
  const loaded = await loadTensorFlow();
  const { kind, version, details } = runtime;
  return {
    kind,
    environment: `${version} (${details}); op by op: ${tfjsEnvironment(loaded)}`,
    compile: async (step, spec) => {
      const graph = await openGraph(runtime, loaded, step, spec);
      if (typeof graph === "string") {
        return { ...compileOpByOp(loaded, step, spec), fallbackReason: graph };
      }
      return graph;
    },
  };
}

/** The step as a checked graph, or the reason why there is none. */
async function openGraph(
  runtime: GraphRuntime,
  loaded: LoadedTensorFlow,
  step: Step,
  spec: StepSpec,
): Promise<CompiledStep | string> {
  // The cpu backend computes in double precision and rounds, so it is the one to judge by.
  const reference = compileOpByOp(loaded, step, spec, ["cpu"]);
  let parts: GraphParts;
  try {
    const program = recordStep(loaded, step, spec);
    const session = await runtime.open(program, graphInputs(program, spec.inputs));
    const description = `${runtime.version} (graph)`;
    parts = { loaded, session, program, step, spec, reference, description };
  } catch (error) {
    return error instanceof NotRecordable
      ? error.message
      : `the step could not become a graph: ${messageOf(error)}`;
  }
  const reason =
    (await disagreement({ run: graphRun(parts) }, reference, spec)) ??
    changeSince(loaded, parts.program, step, spec, RECORDED_ROWS.b);
  if (reason === undefined) return graphStep(parts);
  await parts.session.close();
  return reason;
}

function recordStep(loaded: LoadedTensorFlow, step: Step, spec: StepSpec): Program {
  const { tf } = loaded;
  const recordAt = (rows: number): Recording =>
    onBackend(tf, "cpu", () =>
      leavingNothing(tf, () => {
        const style = { low: 0.1, high: 0.9, idsBelow: 1 };
        const data = drawInputs(spec, rows, style, seededRandom(rows));
        const inputs = toTensors(tf, spec, data, rows);
        return record(loaded, inputs, (given) => step(given, { ...inputs }));
      }),
    );
  const [a, b] = [recordAt(RECORDED_ROWS.a), recordAt(RECORDED_ROWS.b)];
  return mergeRecordings(a, b, RECORDED_ROWS);
}
