import { assert } from "@heddle/base";

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

/** Another hash than `hashId`, so that the rows of one shard still spread over its table. */
function shardHash(low: number, high: number): number {
  let x = high ^ Math.imul(low, 0xcc9e2d51) ^ (low >>> 15);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return (x ^ (x >>> 15)) >>> 0;
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

/** The shard, 0 to shards − 1, that holds an id: the same for ever and everywhere. */
export function shardOf(id: bigint, shards: number): number {
  return shardHash(Number(id & 0xffffffffn), Number(id >> 32n)) % shards;
}

/** Ids of one shard and where they stood. */
export interface ShardIds {
  readonly ids: BigUint64Array;
  /** shape [ids]: position of each in the ids that were split. */
  readonly positions: Int32Array;
}

/** Ids by shard, each in the order given; a single shard has the very array that was given. */
export function splitByShard(ids: BigUint64Array, shards: number): readonly ShardIds[] {
  if (shards === 1) return [{ ids, positions: everyPosition(ids.length) }];
  return splitBy(shardHash, ids, shards);
}

/** 0, 1, 2, …: one array for all, because arrays of a batch's size that are made for each step make V8 collect. */
let everywhere = new Int32Array();

function everyPosition(length: number): Int32Array {
  if (everywhere.length < length) everywhere = Int32Array.from({ length }, (_, i) => i);
  return everywhere.subarray(0, length);
}

/** Ids by instance of a table, each in the order given. */
export function splitById(ids: BigUint64Array, instances: number): readonly ShardIds[] {
  return splitBy(hashId, ids, instances);
}

function splitBy(
  hash: (low: number, high: number) => number,
  ids: BigUint64Array,
  shards: number,
): readonly ShardIds[] {
  const halves = halvesOf(ids);
  const owners = new Uint16Array(ids.length);
  const counts = new Int32Array(shards);
  for (let i = 0; i < ids.length; i++) {
    const shard = hash(halves[2 * i] as number, halves[2 * i + 1] as number) % shards;
    owners[i] = shard;
    counts[shard] = (counts[shard] as number) + 1;
  }
  return Array.from(counts, (count, shard) => {
    const own = new BigUint64Array(count);
    const ownHalves = halvesOf(own);
    const positions = new Int32Array(count);
    let n = 0;
    for (let i = 0; i < ids.length; i++) {
      if (owners[i] !== shard) continue;
      ownHalves[2 * n] = halves[2 * i] as number;
      ownHalves[2 * n + 1] = halves[2 * i + 1] as number;
      positions[n++] = i;
    }
    return { ids: own, positions };
  });
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

/** Used again by each call of a thread, for fresh memory costs more than filling it; it holds nothing that matters between two calls. */
let slots = new Int32Array();
let seen = new BigUint64Array();

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
  if (slots.length < size) slots = new Int32Array(size);
  if (seen.length < ids.length) seen = new BigUint64Array(ids.length);
  const taken = slots.subarray(0, size).fill(0);
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
