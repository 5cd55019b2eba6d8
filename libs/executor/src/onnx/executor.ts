import { messageOf, seededRandom } from "@heddle/base";
import type { CompiledStep, Executor, Step, StepSpec } from "../port.ts";
import { stepFailed } from "../step-failed.ts";
import { checkInputs, drawInputs } from "../step-inputs.ts";
import { tfjsEnvironment } from "../tfjs/executor.ts";
import { compileOpByOp, leavingNothing, toTensors } from "../tfjs/op-by-op.ts";
import { loadTensorFlow, type LoadedTensorFlow, onBackend } from "../tfjs/tensorflow.ts";
import { lower, type LoweredStep } from "./lower.ts";
import { NotRecordable } from "./not-recordable.ts";
import { mergeRecordings } from "./program.ts";
import { record, type Recording } from "./record.ts";
import { instructionSet, openSession, type Runtime, type Session } from "./runtime.ts";
import { disagreement } from "./verify.ts";

/** Row counts to record with: small, because the cpu backend is slow, and unlike the sizes of a model. */
const RECORDED_ROWS = { a: 23, b: 13 };

/** The executor that records a step once and runs it as one ONNX graph. */
export async function openOnnx(runtime: Runtime, threads: number): Promise<Executor> {
  const loaded = await loadTensorFlow();
  const version = `onnx ${runtime.env.versions.node ?? runtime.env.versions.common}`;
  const count = threads === 1 ? "1 thread" : `${threads} threads`;
  const set = await instructionSet();
  return {
    kind: "onnx",
    environment: `${version} (${count}, ${set}); op by op: ${tfjsEnvironment(loaded)}`,
    compile: async (step, spec) => {
      const graph = await openGraph(runtime, loaded, step, spec, threads);
      if (typeof graph === "string") {
        return { ...compileOpByOp(loaded, step, spec), fallbackReason: graph };
      }
      return graphStep(graph, spec, `${version} (graph)`);
    },
  };
}

/** The step as a checked graph, or the reason why there is none. */
async function openGraph(
  runtime: Runtime,
  loaded: LoadedTensorFlow,
  step: Step,
  spec: StepSpec,
  threads: number,
): Promise<Session | string> {
  // The cpu backend computes in double precision and rounds, so it is the one to judge by.
  const reference = compileOpByOp(loaded, step, spec, ["cpu"]);
  let session: Session;
  try {
    session = await openSession(runtime, recordStep(loaded, step, spec), spec, threads);
  } catch (error) {
    return error instanceof NotRecordable
      ? error.message
      : `the step could not become a graph: ${messageOf(error)}`;
  }
  const reason = await disagreement(session, reference, spec);
  if (reason === undefined) return session;
  await session.close();
  return reason;
}

function recordStep(loaded: LoadedTensorFlow, step: Step, spec: StepSpec): LoweredStep {
  const { tf } = loaded;
  const recordAt = (rows: number): Recording =>
    onBackend(tf, "cpu", () =>
      leavingNothing(tf, () => {
        const style = { low: 0.1, high: 0.9, idsBelow: 1 };
        const data = drawInputs(spec, rows, style, seededRandom(rows));
        const inputs = toTensors(tf, spec, data, rows);
        return record(tf, inputs, () => step(tf, { ...inputs }));
      }),
    );
  const [a, b] = [recordAt(RECORDED_ROWS.a), recordAt(RECORDED_ROWS.b)];
  return lower(mergeRecordings(a, b, RECORDED_ROWS), spec.inputs);
}

function graphStep(session: Session, spec: StepSpec, description: string): CompiledStep {
  return {
    description,
    run: async (inputs, rows) => {
      checkInputs(spec, inputs, rows);
      try {
        return await session.run(inputs, rows);
      } catch (error) {
        throw stepFailed(spec, rows, error);
      }
    },
    [Symbol.asyncDispose]: () => session.close(),
  };
}
