import { gatherIds, openRowCache } from "@heddle/kernels";
import { cachedRowBytesMax } from "../wire/calls/cached-rows.ts";
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
      const wanted = othersOf(positions, ids.length);
      const rowOf = (of: Float32Array, at: number): Float32Array =>
        of.subarray(at * dimension, (at + 1) * dimension);
      const fresh = new Float32Array(wanted.length * dimension);
      wanted.forEach((at, n) => fresh.set(rowOf(rows, at), n * dimension));
      cache.keep(gatherIds(ids, wanted), fresh, applied);
      positions.forEach((at, n) => rows.set(rowOf(old, n), at * dimension));
      state = Math.min(state, oldest);
    }
    return { read, state };
  };
}

/** The positions below `count` that are not among these, which ascend. */
function othersOf(positions: Int32Array, count: number): Int32Array {
  const there = new Set(positions);
  return Int32Array.from({ length: count }, (_, at) => at).filter((at) => !there.has(at));
}
