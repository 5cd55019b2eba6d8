import { HeddleError } from "@heddle/base";
import { concatenated } from "./concatenated.ts";
import type { TrainingBatch } from "../data/rows.ts";
import type { Scorer } from "./scorer.ts";
import type { ParameterStore } from "./store.ts";

/** Rows that were not trained, with what a training makes of them; by column, shape [rows]. */
export interface HeldOut {
  readonly label: Float32Array;
  readonly weight: Float32Array;
  readonly score: Float32Array;
}

/**
 * Scores rows held out with parameters as they are.
 *
 * @throws {HeddleError} INVALID_ARGUMENT NOT_FINITE.
 */
export async function scoreHeldOut(
  scorer: Scorer,
  store: ParameterStore,
  batches: Iterable<TrainingBatch> | AsyncIterable<TrainingBatch>,
): Promise<HeldOut> {
  const parts: HeldOut[] = [];
  for await (const batch of batches) {
    const score = await scorer.score(batch, store.pull(batch.ids));
    if (!score.every(Number.isFinite)) throw notFinite();
    parts.push({ label: batch.label, weight: batch.weight, score });
  }
  const column = (of: (part: HeldOut) => Float32Array): Float32Array => concatenated(parts.map(of));
  return {
    label: column(({ label }) => label),
    weight: column(({ weight }) => weight),
    score: column(({ score }) => score),
  };
}

const notFinite = (): HeddleError =>
  new HeddleError("INVALID_ARGUMENT", "NOT_FINITE", "a score of a held-out row is not finite");
