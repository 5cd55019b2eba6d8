import { gatherIds, openRowCache } from "@heddle/kernels";
import type { Part } from "../shard/shard-layout.ts";
import type { RunDeclaration } from "../wire.ts";
import type { Memory } from "../shard/loan.ts";

/** What one learner keeps of the rows it pulled from one shard, for as long as they are young enough to compute on. */
export interface CachedRows {
  /** Finds what an update may compute on without asking. */
  find(part: Part, memory: Memory): FoundRows;
  /**
   * Keeps the rows of an answer.
   *
   * @param rows by table, those that the pull wanted, shape [wanted, dimension].
   */
  keep(
    part: Part,
    found: FoundRows | undefined,
    rows: readonly Float32Array[],
    state: number,
  ): void;
  /** The shard is at that state, or was. */
  heard(state: number): void;
  /** A push of this learner is on its way, until it was answered: what is pulled meanwhile may be of the state after it. */
  pushing(): void;
  pushed(): void;
  /** The process that is asked from now on; what was read from another one is forgotten, for its states are not this one's. */
  enter(life: number): void;
  /** Forgets all rows: the shard has returned to an earlier state. */
  forget(): void;
}

/** Rows that were there. */
export interface FoundRows {
  /** By table. */
  readonly tables: readonly {
    /** As a pull says it; empty where nothing was there. */
    readonly held: Uint8Array;
    /** Which ids of the part were there, and which are wanted; ascending. */
    readonly positions: Int32Array;
    readonly wanted: Int32Array;
    /** shape [positions, dimension]. */
    readonly rows: Float32Array;
  }[];
  /** The oldest state that one of them was read at; infinite where none was there. */
  readonly oldest: number;
  /** The newest state of the shard that the learner had heard of. */
  readonly newest: number;
}

/** Memory of a learner's cached rows, of all shards and tables together. */
export const cachedRowBytesMax = 64 << 20;

/** @param rowAge how many pushes ago rows were read at most. @param bytesMax memory of all tables' rows. */
export function openCachedRows(
  tables: RunDeclaration["tables"],
  rowAge: number,
  bytesMax: number,
): CachedRows {
  const caches = tables.map(({ dimension }) => ({
    dimension,
    cache: openRowCache(dimension, bytesMax / tables.length),
  }));
  let newest = 0;
  let underWay = 0;
  let current = 0;
  const forget = (): void => {
    newest = 0;
    for (const { cache } of caches) cache.clear();
  };
  return {
    enter: (life) => {
      if (life !== current) forget();
      current = life;
    },
    forget,
    find: ({ ids }, memory) => {
      let oldest = Infinity;
      const found = caches.map(({ cache, dimension }) => {
        const rows = memory(ids.length * dimension);
        const taken = cache.take(ids, newest + underWay - rowAge, rows);
        oldest = Math.min(oldest, taken.oldest);
        const own = rows.subarray(0, taken.positions.length * dimension);
        return { ...bitsOf(taken.positions, ids.length), positions: taken.positions, rows: own };
      });
      return { tables: found, oldest, newest };
    },
    keep: ({ ids }, found, rows, state) => {
      caches.forEach(({ cache }, t) => {
        const wanted = found?.tables[t]?.wanted;
        const own = rows[t] ?? new Float32Array();
        const all = wanted === undefined || wanted.length === ids.length;
        cache.keep(all ? ids : gatherIds(ids, wanted), own, state);
      });
    },
    heard: (state) => {
      newest = Math.max(newest, state);
    },
    pushing: () => {
      underWay += 1;
    },
    pushed: () => {
      underWay -= 1;
    },
  };
}

/** Of the ids of a part, those that were there as bits, and the positions of the others; all ascend. */
export function bitsOf(positions: Int32Array, ids: number) {
  const wanted = new Int32Array(ids - positions.length);
  const bits = new Uint8Array(positions.length === 0 ? 0 : Math.ceil(ids / 8));
  let [next, count] = [0, 0];
  for (let i = 0; i < ids; i++) {
    if (positions[next] === i) {
      bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
      next += 1;
    } else {
      wanted[count++] = i;
    }
  }
  return { held: bits, wanted };
}
