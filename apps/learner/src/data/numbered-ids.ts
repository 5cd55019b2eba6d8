import { gatherIds, type IdNumbers, openIdNumbers } from "@heddle/kernels";
import type { CodedIds } from "@heddle/transform";
import type { BatchMemory } from "./batch-memory.ts";

/** Numbers of the ids of a partition. */
export interface NumberedIds {
  /** Writes the number of each row's id to `out`, from `at` on. */
  write(rows: CodedIds, out: Int32Array, at: number): void;
  /** All ids, in the order of their numbers; nothing is written after that. */
  end(): BigUint64Array;
}

/** Indexes that no partition uses now, by thread: the next one takes one of them, memory and all. */
const free: IdNumbers[] = [];
const heldBytesMax = 64 << 20;

/**
 * Gives each distinct id of a partition a number, 0, 1, 2, …: an id is looked up once for each entry of a dictionary, and what is done per
 * row and per batch needs no hash any more.
 */
export function openNumberedIds(): NumberedIds {
  const index = free.pop() ?? openIdNumbers();
  index.clear();
  /** Numbers by the ids of a dictionary, which all pieces of a partition share. */
  const known = new Map<BigUint64Array, Int32Array>();
  const numbersOf = (ids: BigUint64Array): Int32Array => {
    const numbers = new Int32Array(ids.length);
    index.add(ids, numbers);
    return numbers;
  };
  const sharedNumbersOf = (ids: BigUint64Array): Int32Array => {
    const numbers = known.get(ids) ?? numbersOf(ids);
    known.set(ids, numbers);
    return numbers;
  };
  return {
    write: ({ ids, codes, shared }, out, at) => {
      const numbers = shared ? sharedNumbersOf(ids) : numbersOf(ids);
      for (let i = 0; i < codes.length; i++) out[at + i] = numbers[codes[i] as number] as number;
    },
    end: () => {
      const ids = index.ids();
      if (index.bytes <= heldBytesMax) free.push(index);
      return ids;
    },
  };
}

/** Places are counted on from batch to batch, and from 1 again before they would not fit 32 bits. */
const int32Max = 2 ** 31 - 1;

/**
 * Finds the distinct ids of batches. It goes input by input, because the numbers of one lie close together and so stay in the cache.
 *
 * @param ids of a partition, in the order of their numbers.
 * @param inputs by input: numbers of the rows, shape [rows].
 * @param batchSize rows of a batch at most.
 * @returns a function of the rows from `from` to before `to`: it writes `index`, shape [rows, inputs], and returns `unique`, in the order
 *   of inputs, then of rows, so that `unique[index[i]]` is the id of value i.
 */
export function openUniqueOfBatch(
  ids: BigUint64Array,
  inputs: readonly Int32Array[],
  batchSize: number,
  placesMax = int32Max,
) {
  /** Where each number stands in the batch that saw it last, counted through all batches, from 1. */
  const places = new Int32Array(ids.length);
  const seen = new Int32Array(Math.min(batchSize * inputs.length, ids.length));
  let first = 1;
  return (
    from: number,
    to: number,
    index: Int32Array,
    memory: Pick<BatchMemory, "bigUint64">,
  ): BigUint64Array => {
    if (first + seen.length > placesMax) {
      places.fill(0);
      first = 1;
    }
    let count = 0;
    inputs.forEach((numbers, input) => {
      let out = input;
      for (let row = from; row < to; row++, out += inputs.length) {
        const number = numbers[row] as number;
        let at = (places[number] as number) - first;
        if (at < 0) {
          at = count++;
          places[number] = first + at;
          seen[at] = number;
        }
        index[out] = at;
      }
    });
    first += count;
    return gatherIds(ids, seen.subarray(0, count), memory.bigUint64(count));
  };
}
