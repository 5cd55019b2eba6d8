import { HeddleError } from "@heddle/base";
import { checkLength } from "./gradients.ts";
import { pieces, stagedRowsOf } from "./pieces.ts";
import { openInstance, type Global, type Memory, pageBytes, pagesMax } from "./wasm.ts";

/** One instance of `assembly/cache.ts`. */
interface Kernel {
  readonly memory: Memory;
  readonly idsAt: Global;
  readonly foundAt: Global;
  readonly rowsAt: Global;
  readonly oldest: Global;
  configure(rowBytes: number, stagedRows: number, sets: number): boolean;
  clear(): void;
  take(count: number, since: number): number;
  keep(count: number, state: number): void;
}

/** Rows by id, each with the number of the state that it was read at, in a memory that does not grow. */
export interface RowCache {
  /**
   * Finds rows that were read at the state `since` or later.
   *
   * @param out shape [at least ids, dimension]: their values, one row behind the other.
   */
  take(ids: BigUint64Array, since: number, out: Float32Array): TakenRows;
  /**
   * Keeps rows that were read at a state, below 2³² − 1.
   *
   * @param rows shape [ids, dimension].
   * @throws {HeddleError} INVALID_ARGUMENT WRONG_SIZE.
   */
  keep(ids: BigUint64Array, rows: Float32Array, state: number): void;
  /** Forgets everything. */
  clear(): void;
  /** Memory held. */
  readonly bytes: number;
}

/** What was found. */
export interface TakenRows {
  /** Which of the ids, ascending. */
  readonly positions: Int32Array;
  /** The oldest state that one of them was read at; infinite where there is none. */
  readonly oldest: number;
}

/** Cells that a row may lie in; and what a set of them takes beside rows. */
const ways = 4;
const setBytes = 64;
/** Ids, what was found and rows: more than they take, but for a single row that is larger. */
const stagedBytesMax = 1 << 20;

/**
 * Opens an empty cache. A row is of use until it is so many states old, so the one that was read first goes first: a new row takes the
 * place of the oldest in its set of four. How often a row was asked for counts for nothing; one that every step wants grows old like any other.
 *
 * @param bytesMax memory of rows, all of it taken at once: the largest power of two of sets that fits, one at least.
 * @throws {HeddleError} RESOURCE_EXHAUSTED NO_MEMORY_FOR_CACHE.
 */
export function openRowCache(dimension: number, bytesMax: number): RowCache {
  const kernel = openInstance<Kernel>("cache", pagesMax);
  const each = stagedRowsOf(dimension);
  const setOfRows = setBytes + ways * 4 * dimension;
  const sets = 2 ** Math.floor(Math.log2(Math.max(1, bytesMax / setOfRows)));
  // Addresses have 32 bits.
  const fits = sets * setOfRows + stagedBytesMax <= pagesMax * pageBytes;
  if (!fits || !kernel.configure(4 * dimension, each, sets)) throw noMemory(bytesMax);
  const { buffer } = kernel.memory;
  const staged = {
    ids: new BigUint64Array(buffer, kernel.idsAt.value, each),
    found: new Uint32Array(buffer, kernel.foundAt.value, each),
    rows: new Float32Array(buffer, kernel.rowsAt.value, each * dimension),
  };
  return {
    bytes: buffer.byteLength,
    take: (ids, since, out) => {
      const positions = new Int32Array(ids.length);
      let [count, oldest] = [0, Infinity];
      for (const { from, to } of pieces(ids.length, each)) {
        staged.ids.set(ids.subarray(from, to));
        const some = kernel.take(to - from, Math.max(0, since));
        out.set(staged.rows.subarray(0, some * dimension), count * dimension);
        for (let i = 0; i < some; i++) positions[count++] = from + (staged.found[i] as number);
        // States lie one up, so that a cell without a row has 0.
        if (some > 0) oldest = Math.min(oldest, (kernel.oldest.value >>> 0) - 1);
      }
      return { positions: positions.subarray(0, count), oldest };
    },
    keep: (ids, rows, state) => {
      checkLength(rows.length, ids.length * dimension, "the rows to keep");
      for (const { from, to } of pieces(ids.length, each)) {
        staged.ids.set(ids.subarray(from, to));
        staged.rows.set(rows.subarray(from * dimension, to * dimension));
        kernel.keep(to - from, state);
      }
    },
    clear: () => kernel.clear(),
  };
}

function noMemory(bytesMax: number): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "NO_MEMORY_FOR_CACHE",
    `there is no memory for ${bytesMax} bytes of cached rows: give the learner more, or let it cache none`,
  );
}
