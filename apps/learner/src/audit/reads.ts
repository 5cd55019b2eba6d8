import { gatherIds, gatherRows, openRowCache, scatterRows } from "@heddle/kernels";
import { bitsOf, cachedRowBytesMax } from "../wire/calls/cached-rows.ts";
import type { Parameters } from "../parameters.ts";
import type { Pulled } from "../wire/wire.ts";
import type { StateRead } from "./interleave.ts";
import type { ParameterStore } from "./store.ts";

/**
 * Reads what an update computes on.
 *
 * @param anew whether only the state of now will do.
 */
type Reads = (ids: BigUint64Array, anew: boolean) => StateRead<Pulled>;

/** Reads of the state of now. */
export const newReads =
  (store: ParameterStore): Reads =>
  (ids) => ({ read: store.pull(ids), state: store.applied });

/**
 * Reads as learners with a `rowAge` do: a row that was read up to so many updates ago is computed on as it was then. One cache stands
 * for those of all learners, so rows are as old as they can be for any number of them.
 */
export function agedReads(store: ParameterStore, { tables }: Parameters, rowAge: number): Reads {
  const caches = tables.map(({ name, dimension }) => ({
    ...{ name, dimension },
    cache: openRowCache(dimension, cachedRowBytesMax / tables.length),
  }));
  return (ids, anew) => {
    const { applied } = store;
    const read = store.pull(ids);
    let state = applied;
    for (const { name, dimension, cache } of caches) {
      const rows = read.rows[name] ?? new Float32Array();
      const old = new Float32Array(rows.length);
      const { positions, oldest } = cache.take(ids, anew ? applied : applied - rowAge, old);
      const { wanted } = bitsOf(positions, ids.length);
      const fresh = new Float32Array(wanted.length * dimension);
      gatherRows(rows, dimension, wanted, fresh);
      cache.keep(gatherIds(ids, wanted), fresh, applied);
      scatterRows(old.subarray(0, positions.length * dimension), dimension, positions, rows);
      state = Math.min(state, oldest);
    }
    return { read, state };
  };
}
