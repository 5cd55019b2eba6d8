import { HeddleError } from "@heddle/base";
import { pieces } from "../pieces.ts";
import { type Global, type Memory, openInstance, pagesMax } from "../wasm.ts";

/** One instance of `assembly/numbers.ts`. */
interface Kernel {
  readonly memory: Memory;
  readonly stagedAt: Global;
  readonly numbersAt: Global;
  readonly idsAt: Global;
  readonly count: Global;
  clear(staged: number): boolean;
  reserve(more: number): boolean;
  add(staged: number): void;
}

/** Numbers distinct ids 0, 1, 2, … in the order in which they come: many at a time, where `IdIndex` takes them one by one. */
export interface IdNumbers {
  /**
   * Writes the number of each id; those that are new get the next ones.
   *
   * @param out shape [ids].
   * @throws {HeddleError} RESOURCE_EXHAUSTED NO_MEMORY_FOR_IDS above some 250 million distinct ids.
   */
  add(ids: BigUint64Array, out: Int32Array): void;
  /** All ids, in the order of their numbers: a copy. */
  ids(): BigUint64Array;
  /** Forgets all ids and keeps the memory. */
  clear(): void;
  /** Memory held. */
  readonly bytes: number;
}

/** So many that reads from main memory are under way side by side, so few that what is read is still in the cache. */
const stagedMax = 2_048;

/** @param pages limit of its memory, of 64 KiB each. */
export function openIdNumbers(pages = pagesMax): IdNumbers {
  const kernel = openInstance<Kernel>("numbers", pages);
  const clear = (): void => {
    if (!kernel.clear(stagedMax)) throw noMemory(kernel);
  };
  clear();
  return {
    get bytes() {
      return kernel.memory.buffer.byteLength;
    },
    add: (ids, out) => {
      for (const { from, to } of pieces(ids.length, stagedMax)) {
        if (!kernel.reserve(to - from)) throw noMemory(kernel);
        const { buffer } = kernel.memory;
        const { stagedAt, numbersAt } = kernel;
        new BigUint64Array(buffer, stagedAt.value, to - from).set(ids.subarray(from, to));
        kernel.add(to - from);
        out.set(new Int32Array(buffer, numbersAt.value, to - from), from);
      }
    },
    ids: () =>
      new BigUint64Array(kernel.memory.buffer, kernel.idsAt.value, kernel.count.value).slice(),
    clear,
  };
}

function noMemory({ count, memory }: Kernel): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "NO_MEMORY_FOR_IDS",
    `a partition has more distinct ids than the ${count.value} that found room in ${memory.buffer.byteLength} bytes: build the dataset with smaller partitions`,
  );
}
