import type { TableSpec } from "../../port.ts";

/** For each row that a table may have, so many ids that are counted and have none: each takes a seventh of a row of 16 with Adagrad. */
const countedPerRow = 4;

/**
 * Ids that have no row yet are a table of their own, of one value a row: how often each was pushed. So counts grow, are frozen, saved and
 * restored, and expire as rows do. A push counts by a gradient of −1 and a rate of 1; float32 counts to 2²⁴.
 */
export function countSpec({ admission, expiry, rowsMax }: TableSpec): TableSpec | undefined {
  if (admission === undefined || !("count" in admission)) return undefined;
  return {
    dimension: 1,
    optimizer: { kind: "sgd", rate: 1 },
    ...{ initialDeviation: 0, seed: 0, versions: true },
    rowsMax: countedPerRow * rowsMax,
    ...(expiry && { expiry }),
  };
}

/** Gradients that count each id once. */
export const countUp = (ids: BigUint64Array): Float32Array => new Float32Array(ids.length).fill(-1);
