import { HeddleError, isHeddleError, seededRandom } from "@heddle/base";
import type { Batches } from "../data/batches.ts";
import { checkFinite } from "../loop/not-finite.ts";
import type { Network } from "../network.ts";
import type { TrainingBatch } from "../data/rows.ts";
import { interleave, type Overlapped, type Setting } from "./interleave.ts";
import type { Scorer } from "./scorer.ts";
import { openStore } from "./store.ts";

/** Rows that were not trained, with what a setting makes of them; by column, shape [rows]. */
export interface HeldOut {
  readonly label: Float32Array;
  readonly weight: Float32Array;
  readonly score: Float32Array;
}

/** A training under one setting. */
export type Outcome =
  | ({ readonly kind: "trained"; readonly heldOut: HeldOut } & Overlapped)
  /** Its numbers left what float32 can say. */
  | { readonly kind: "diverged"; readonly message: string };

export interface OverlappedTraining {
  readonly network: Network;
  readonly scorer: Scorer;
  /** From the first one, each time. */
  readonly batches: () => Batches;
  /** Batches trained; all later ones are held out. */
  readonly trained: number;
  readonly setting: Setting;
  readonly seed: number;
}

/** Trains under a setting and scores the rows held out. */
export async function trainOverlapped(
  { network, scorer, batches, trained, setting, seed }: OverlappedTraining,
  signal: AbortSignal,
): Promise<Outcome> {
  const store = openStore(network);
  const source = batches();
  let read = 0;
  const push = async (batch: TrainingBatch, pulled: ReturnType<typeof store.pull>) => {
    const result = await network.step(batch, pulled);
    checkFinite("speed-audit", store.applied + 1, batch, result);
    store.push(batch.ids, result.gradients);
  };
  try {
    const overlapped = await interleave<TrainingBatch, ReturnType<typeof store.pull>>({
      setting,
      random: seededRandom(seed).next,
      next: async () => (read++ < trained ? source.next(signal) : undefined),
      pull: ({ ids }) => store.pull(ids),
      push,
    });
    const parts: HeldOut[] = [];
    for (let batch = await source.next(signal); batch; batch = await source.next(signal)) {
      const score = await scorer.score(batch, store.pull(batch.ids));
      parts.push({ label: batch.label, weight: batch.weight, score });
      if (!score.every(Number.isFinite)) throw notFinite();
    }
    return { kind: "trained", heldOut: joined(parts), ...overlapped };
  } catch (error) {
    if (!isHeddleError(error, "NOT_FINITE")) throw error;
    return { kind: "diverged", message: error.message };
  }
}

const notFinite = (): HeddleError =>
  new HeddleError("INVALID_ARGUMENT", "NOT_FINITE", "a score of a held-out row is not finite");

function joined(parts: readonly HeldOut[]): HeldOut {
  const column = (of: (part: HeldOut) => Float32Array): Float32Array => {
    const all = new Float32Array(parts.reduce((sum, part) => sum + of(part).length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(of(part), at);
      at += of(part).length;
    }
    return all;
  };
  return {
    label: column(({ label }) => label),
    weight: column(({ weight }) => weight),
    score: column(({ score }) => score),
  };
}
