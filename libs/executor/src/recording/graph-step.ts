import { HeddleError } from "@heddle/base";
import type { CompiledStep, Step, StepSpec } from "../port.ts";
import { fillDraws } from "./fill-draws.ts";
import { stepFailed } from "../step-failed.ts";
import { checkInputs } from "../step-inputs.ts";
import { compileOpByOp, type OpByOpStep } from "../tfjs/op-by-op.ts";
import type { LoadedTensorFlow } from "../tfjs/tensorflow.ts";
import type { Program } from "./program.ts";
import { changeSince } from "./replay.ts";
import type { Session } from "./session.ts";
import { CHECKED_ROWS } from "./verify.ts";

/** What a step that runs as a graph is made of. */
export interface GraphParts {
  readonly loaded: LoadedTensorFlow;
  readonly session: Session;
  readonly program: Program;
  readonly step: Step;
  readonly spec: StepSpec;
  readonly description: string;
  /** Why products are float32 although the spec asks for bfloat16. */
  readonly precisionReason?: string;
  readonly judge: Judge;
}

/** Compares a graph with its step op by op: says why they differ, if they do. */
export type Judge = (run: CompiledStep["run"], rows?: number) => Promise<string | undefined>;

/** Row counts to record with: small, because the cpu backend is slow, and unlike the sizes of a model. */
export const RECORDED_ROWS = { a: 23, b: 13 };

/** The step's JavaScript is looked at again before runs 1, 2, 4, 8 … and then before every 256th. */
const RECHECKED_RUNS = 256;

/**
 * A step that runs as a graph. The graph does not run the step's JavaScript, so that is run again now and then, without
 * computing: a number that it took from outside and that has changed since must not stay silently old.
 */
export function graphStep(parts: GraphParts): CompiledStep {
  const { session, spec, description } = parts;
  const recheck = rechecking(parts);
  const bySize = sizeBranches(parts);
  const run = graphRun(parts);
  const running = new Set<Promise<unknown>>();
  const runChecked: CompiledStep["run"] = async (inputs, rows, options) => {
    checkInputs(spec, inputs, rows);
    recheck();
    const opByOp = await bySize.opByOp(rows, run);
    return opByOp === undefined ? run(inputs, rows, options) : opByOp.run(inputs, rows, options);
  };
  return {
    description,
    ...(parts.precisionReason === undefined ? {} : { precisionReason: parts.precisionReason }),
    get fallbackReason(): string | undefined {
      return bySize.reason();
    },
    run: async (...call) => {
      const pending = runChecked(...call);
      running.add(pending);
      try {
        return await pending;
      } finally {
        running.delete(pending);
      }
    },
    // A look at the step may wait for a run of the graph, so a run may reach the session only later.
    [Symbol.asyncDispose]: () => Promise.allSettled(running).then(() => session.close()),
  };
}

/** Runs the graph, as it is. */
export function graphRun({ session, program, spec }: GraphParts): CompiledStep["run"] {
  return async (inputs, rows, options = {}) => {
    const drawn = fillDraws(program.draws, spec, rows, options);
    try {
      const fed = program.draws.length === 0 ? inputs : { ...inputs, ...drawn };
      return await session.run(fed, rows, options.into);
    } catch (error) {
      throw stepFailed(spec, rows, error);
    }
  };
}

/** @returns a function to call before each run, which throws once the step is not what was recorded. */
function rechecking({ loaded, program, step, spec }: GraphParts): () => void {
  let runs = 0;
  let good = 0;
  let change: string | undefined;
  return () => {
    runs += 1;
    const due = runs % RECHECKED_RUNS === 0 || (runs < RECHECKED_RUNS && (runs & (runs - 1)) === 0);
    if (due && change === undefined) {
      change = changeSince(loaded, program, step, spec, RECORDED_ROWS.b);
      if (change === undefined) good = runs;
    }
    if (change === undefined) return;
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "STEP_CHANGED",
      `step "${spec.name}" is not what was compiled: ${change}; the graph kept what it was, at most since run ${good}: pass whatever changes as an input, or compile again`,
      { metadata: { step: spec.name } },
    );
  };
}

/** A number of rows for which a step's JavaScript takes another way runs op by op, as far as that way gives other results. */
function sizeBranches({ loaded, program, step, spec, judge }: GraphParts): {
  opByOp(rows: number, graph: CompiledStep["run"]): Promise<OpByOpStep | undefined>;
  reason(): string | undefined;
} {
  const graphRows = new Set([RECORDED_ROWS.a, RECORDED_ROWS.b, CHECKED_ROWS]);
  const otherRows = new Set<number>();
  let fallback: OpByOpStep | undefined;
  let reason: string | undefined;
  return {
    opByOp: async (rows, run) => {
      if (graphRows.has(rows)) return undefined;
      if (!otherRows.has(rows)) {
        // TensorFlow.js itself takes other ways for sizes of 1, to the same results: so what differs is judged by its results.
        const change = changeSince(loaded, program, step, spec, rows);
        const wrong = change && (await judge(run, rows));
        if (wrong === undefined) {
          graphRows.add(rows);
          return undefined;
        }
        otherRows.add(rows);
        reason ??= `with ${rows} rows it is another step, which runs op by op: ${change}`;
      }
      return (fallback ??= compileOpByOp(loaded, step, spec));
    },
    reason: () => reason,
  };
}
