import { assert, openScratch } from "@heddle/base";

/** 64-bit ids as pairs of 32-bit halves, the lower first: arithmetic on them needs no BigInt. */
export function halvesOf(ids: BigUint64Array): Uint32Array {
  return new Uint32Array(ids.buffer, ids.byteOffset, ids.length * 2);
}

// Every platform Node runs on here is little-endian; files and messages are too.
assert(halvesOf(BigUint64Array.of(1n))[0] === 1, "this machine is not little-endian");

/** 32 well-mixed bits of an id, for tables. */
export function hashId(low: number, high: number): number {
  let x = low ^ Math.imul(high, 0x9e3779b1) ^ (high >>> 15);
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** out[i] = ids[positions[i]]; by halves, because a bigint for each id is ten times the time. */
export function gatherIds(
  ids: BigUint64Array,
  positions: Int32Array,
  out: BigUint64Array = new BigUint64Array(positions.length),
): BigUint64Array {
  const [from, to] = [halvesOf(ids), halvesOf(out)];
  for (let i = 0; i < positions.length; i++) {
    const at = 2 * (positions[i] as number);
    to[2 * i] = from[at] as number;
    to[2 * i + 1] = from[at + 1] as number;
  }
  return out;
}

/** Where distinct ids and positions lie. */
export interface UniqueMemory {
  int32(length: number): Int32Array;
  bigUint64(length: number): BigUint64Array;
}

const ownMemory: UniqueMemory = {
  int32: (length) => new Int32Array(length),
  bigUint64: (length) => new BigUint64Array(length),
};

const slots = openScratch((length) => new Int32Array(length));
const seenMemory = openScratch((length) => new BigUint64Array(length));

/**
 * The distinct ids of a batch, in the order in which they are first seen.
 *
 * @param memory where the result lies; arrays of their own when absent.
 * @returns `unique`, shape [distinct ids]; `index`, shape [ids]: `unique[index[i]] === ids[i]`.
 */
export function uniqueIds(
  ids: BigUint64Array,
  memory: UniqueMemory = ownMemory,
): { readonly unique: BigUint64Array; readonly index: Int32Array } {
  const size = tableSize(ids.length);
  const seen = seenMemory(ids.length);
  const taken = slots(size).fill(0);
  const mask = size - 1;
  const halves = halvesOf(ids);
  const seenHalves = halvesOf(seen);
  const index = memory.int32(ids.length);
  let count = 0;
  for (let i = 0; i < ids.length; i++) {
    const low = halves[2 * i] as number;
    const high = halves[2 * i + 1] as number;
    let slot = hashId(low, high) & mask;
    for (;;) {
      const at = (taken[slot] as number) - 1;
      if (at < 0) {
        seenHalves[2 * count] = low;
        seenHalves[2 * count + 1] = high;
        index[i] = count++;
        taken[slot] = count;
        break;
      }
      if (seenHalves[2 * at] === low && seenHalves[2 * at + 1] === high) {
        index[i] = at;
        break;
      }
      slot = (slot + 1) & mask;
    }
  }
  const unique = memory.bigUint64(count);
  unique.set(seen.subarray(0, count));
  return { unique, index };
}

/** A power of two at least twice `count`: probes stay short. */
export function tableSize(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(count, 8) * 2));
}
