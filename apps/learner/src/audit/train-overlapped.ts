import { isHeddleError, seededRandom } from "@heddle/base";
import type { Batches } from "../data/batches.ts";
import { checkFinite } from "../loop/not-finite.ts";
import type { Network } from "../network.ts";
import type { TrainingBatch } from "../data/rows.ts";
import { type HeldOut, scoreHeldOut } from "./held-out.ts";
import { interleave, type Overlapped, type Setting } from "./interleave.ts";
import type { Scorer } from "./scorer.ts";
import { agedReads, newReads } from "./reads.ts";
import { openStore } from "./store.ts";
import type { Pulled } from "../wire/wire.ts";

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
  const { rowAge } = setting;
  const reads = rowAge === undefined ? newReads(store) : agedReads(store, network, rowAge);
  const source = batches();
  let read = 0;
  const push = async (batch: TrainingBatch, pulled: Pulled) => {
    const result = await network.step(batch, pulled);
    checkFinite("speed-audit", store.applied + 1, batch, result);
    store.push(batch.ids, result.gradients);
  };
  try {
    const overlapped = await interleave<TrainingBatch, Pulled>({
      setting,
      random: seededRandom(seed).next,
      next: async () => (read++ < trained ? source.next(signal) : undefined),
      pull: ({ ids }, anew) => reads(ids, anew),
      push,
    });
    const heldOut = await scoreHeldOut(scorer, store, rest(source, signal));
    return { kind: "trained", heldOut, ...overlapped };
  } catch (error) {
    if (!isHeddleError(error, "NOT_FINITE")) throw error;
    return { kind: "diverged", message: error.message };
  }
}

async function* rest(source: Batches, signal: AbortSignal): AsyncGenerator<TrainingBatch> {
  for (let batch = await source.next(signal); batch; batch = await source.next(signal)) yield batch;
}
