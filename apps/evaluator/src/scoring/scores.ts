import { HeddleError, present } from "@heddle/base";
import { scoreTogether } from "@heddle/model";
import type { Fallback } from "@heddle/sdk";
import type { ColumnBatch } from "@heddle/transform";
import type { Rivals } from "./rivals.ts";

/** One number of each rival for each row, shape [rows]; those of versions are probabilities. */
export interface Scores<Values = Float32Array | Float64Array> {
  readonly candidate: Values;
  readonly live?: Values;
  readonly fallback: Values;
}

/** Raw features that the rivals read. */
export function featuresOf({ candidate, live, fallback }: Rivals): readonly string[] {
  const { feature } = fallback;
  return [
    ...candidate.features,
    ...(live?.features ?? []),
    ...(feature === undefined ? [] : [feature]),
  ];
}

/** Scores rows by all rivals. */
export async function scoreRows(rivals: Rivals, batch: ColumnBatch): Promise<Scores> {
  const versions = rivals.live === undefined ? [rivals.candidate] : [rivals.candidate, rivals.live];
  const [scored, live] = await scoreTogether(versions, batch);
  const candidate = present(scored, "the candidate's scores");
  const fallback = fallbackScores(rivals.fallback, batch);
  return live === undefined ? { candidate, fallback } : { candidate, live, fallback };
}

/**
 * The heuristic's scores: its feature's values, null below all others; 0 for every row when it has
 * no feature.
 *
 * @throws {HeddleError} FAILED_PRECONDITION FALLBACK_NOT_NUMERIC.
 */
function fallbackScores({ name, feature }: Fallback, batch: ColumnBatch): Float64Array {
  if (feature === undefined) return new Float64Array(batch.rows);
  const column = batch.features[feature];
  if (column === undefined || column.type === "category") {
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "FALLBACK_NOT_NUMERIC",
      `fallback ${name} ranks by feature "${feature}", which is ${column === undefined ? "not in the dataset" : "a category"}: name a numeric feature of the model's views`,
    );
  }
  const { values, valid } = column;
  return valid === undefined
    ? values
    : values.map((value, i) => (valid[i] === 0 ? -Infinity : value));
}

/** Each rival's part of something, made from its scores. */
export function mapRivals<From, To>(of: Scores<From>, make: (from: From) => To): Scores<To> {
  const { candidate, live, fallback } = of;
  return {
    candidate: make(candidate),
    ...(live === undefined ? {} : { live: make(live) }),
    fallback: make(fallback),
  };
}
