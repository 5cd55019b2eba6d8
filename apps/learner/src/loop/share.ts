import { cutMicroBatches, type MicroBatch } from "./micro-batches.ts";
import type { Stages } from "../meters/stages.ts";
import type { Network, StepResult } from "../network.ts";
import { checkFinite } from "./not-finite.ts";
import type { TrainingBatch } from "../data/rows.ts";
import type { Gradients, Pulled, Wire } from "../wire/wire.ts";

/** A micro-batch and what it read. */
interface PulledPart extends MicroBatch {
  readonly pulled: Pulled;
}

/** A micro-batch and what it gave. */
export interface ComputedPart extends MicroBatch {
  readonly result: StepResult;
}

export interface ShareOptions {
  /** Who computes, for messages: the job. */
  readonly learner: string;
  /** Micro-batches of a step, and which of them are this learner's. */
  readonly microBatches: number;
  readonly own: readonly number[];
  readonly wire: Wire;
  readonly network: Network;
  readonly stages: Stages;
  /** CPU seconds since it was last asked; what a learner that does not lead says at cuts. */
  readonly cpuSeconds?: () => number;
}

/** One learner's share of each step: several micro-batches, each pulled, computed and pushed for itself. */
export interface Share {
  pull(step: number, batch: TrainingBatch): Promise<readonly PulledPart[]>;
  /** One after the other. */
  compute(step: number, parts: readonly PulledPart[]): Promise<readonly ComputedPart[]>;
  /** Resolves when the step is applied. */
  push(step: number, parts: readonly ComputedPart[], cut: boolean): Promise<unknown>;
}

export function openShare(options: ShareOptions): Share {
  const { microBatches, own, wire, network, stages } = options;
  const compute = async (step: number, parts: readonly PulledPart[]): Promise<ComputedPart[]> => {
    const computed: ComputedPart[] = [];
    for (const { number, batch, pulled } of parts) {
      const result =
        batch.rows === 0
          ? nothing
          : await stages.work("compute", () => network.step(batch, pulled));
      wire.release(pulled);
      stages.work("compute", () => checkFinite(options.learner, step, batch, result));
      computed.push({ number, batch, result });
    }
    return computed;
  };
  return {
    pull: (step, batch) => {
      const pulls = cutMicroBatches(batch, own, microBatches).map(async (part) => ({
        ...part,
        pulled: await stages.work("pull", () => wire.pull(step, part.batch.ids, part.number)),
      }));
      return watched(Promise.all(pulls));
    },
    compute: (step, parts) => watched(compute(step, parts)),
    push: (step, parts, cut) => {
      const spent = cut && options.cpuSeconds !== undefined ? options.cpuSeconds() : 0;
      const pushes = parts.map(({ number, batch, result }, n) =>
        stages.work("push", () =>
          wire.push(step, batch.ids, result.gradients, cut, {
            microBatch: number,
            lossSum: result.loss * batch.rows,
            learnerCpuSeconds: n === 0 ? spent : 0,
          }),
        ),
      );
      return Promise.all(pushes);
    },
  };
}

/** The mean loss of a share's examples; 0 where it has none. */
export function lossOf(parts: readonly ComputedPart[]): number {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only.result.loss;
  const rows = parts.reduce((sum, { batch }) => sum + batch.rows, 0);
  const losses = parts.reduce((sum, { batch, result }) => sum + result.loss * batch.rows, 0);
  return rows === 0 ? 0 : losses / rows;
}

/** What no examples give. */
const noGradients: Gradients = { rows: {}, dense: {} };
const nothing: StepResult = { loss: 0, gradients: noGradients };

/** A failure is learnt of where the promise is awaited; until then it is nobody's, and no reason to stop the process. */
export function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
