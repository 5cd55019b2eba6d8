import { openScratch } from "@heddle/base";
import { halvesOf, hashId } from "./ids.ts";

type Hash = (low: number, high: number) => number;

/** Another hash than `hashId`, so that the rows of one shard still spread over its table. */
function shardHash(low: number, high: number): number {
  let x = high ^ Math.imul(low, 0xcc9e2d51) ^ (low >>> 15);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return (x ^ (x >>> 15)) >>> 0;
}

/** The shard, 0 to shards − 1, that holds an id: the same for ever and everywhere. */
export function shardOf(id: bigint, shards: number): number {
  return shardHash(Number(id & 0xffffffffn), Number(id >> 32n)) % shards;
}

/** Ids of one shard and where they stood. */
export interface ShardIds {
  readonly ids: BigUint64Array;
  /** shape [ids]: position of each in the ids that were split, ascending. */
  readonly positions: Int32Array;
}

/** Ids by shard, each in the order given. Where they lie together by shard, as `groupByShard` puts them, they are views of what was given. */
export function splitByShard(ids: BigUint64Array, shards: number): readonly ShardIds[] {
  return splitBy(shardHash, ids, shards);
}

/** Ids by instance of a table, each in the order given. */
export function splitById(ids: BigUint64Array, instances: number): readonly ShardIds[] {
  return splitBy(hashId, ids, instances);
}

/**
 * Puts distinct ids in the order of their shards, those of a shard in the order given, and has their index follow: then a shard's rows lie
 * together in what is pulled and pushed for them, and nothing need be put in its place one by one.
 *
 * @param index positions in `ids`.
 */
export function groupByShard(ids: BigUint64Array, index: Int32Array, shards: number): void {
  const { places, grouped } = placesBy(shardHash, ids, shards);
  if (grouped) return;
  const given = givenMemory(ids.length);
  given.set(ids);
  move(given, places, ids);
  for (let i = 0; i < index.length; i++) index[i] = places[index[i] as number] as number;
}

function splitBy(hash: Hash, ids: BigUint64Array, owners: number): readonly ShardIds[] {
  const { places, ends, grouped } = placesBy(hash, ids, owners);
  const all = grouped ? { ids, positions: everyPosition(ids.length) } : moved(ids, places);
  return Array.from(ends, (end, owner) => {
    const from = ends[owner - 1] ?? 0;
    return { ids: all.ids.subarray(from, end), positions: all.positions.subarray(from, end) };
  });
}

const placesMemory = openScratch((length) => new Int32Array(length));
const givenMemory = openScratch((length) => new BigUint64Array(length));
/** 0, 1, 2, … */
let everywhere = new Int32Array();

function everyPosition(length: number): Int32Array {
  if (everywhere.length < length) everywhere = Int32Array.from({ length }, (_, i) => i);
  return everywhere.subarray(0, length);
}

/**
 * Where each id goes when they are put in the order of their owners.
 *
 * @returns `places`, shape [ids], until the next call; `ends`, shape [owners], where those of each end; `grouped`, whether they are in this
 *   order already.
 */
function placesBy(hash: Hash, ids: BigUint64Array, owners: number) {
  const places = placesMemory(ids.length);
  if (owners === 1) return { places, ends: Int32Array.of(ids.length), grouped: true };
  const ends = new Int32Array(owners);
  const halves = halvesOf(ids);
  // A division takes longer than the hash.
  const mask = (owners & (owners - 1)) === 0 ? owners - 1 : 0;
  let grouped = true;
  let last = 0;
  for (let i = 0; i < ids.length; i++) {
    const h = hash(halves[2 * i] as number, halves[2 * i + 1] as number);
    const owner = mask > 0 ? h & mask : h % owners;
    places[i] = owner;
    ends[owner] = (ends[owner] as number) + 1;
    if (owner < last) grouped = false;
    last = owner;
  }
  for (let owner = 1; owner < owners; owner++) {
    ends[owner] = (ends[owner] as number) + (ends[owner - 1] as number);
  }
  if (grouped) return { places, ends, grouped };
  const next = new Int32Array(owners);
  next.set(ends.subarray(0, owners - 1), 1);
  for (let i = 0; i < ids.length; i++) {
    const owner = places[i] as number;
    const place = next[owner] as number;
    places[i] = place;
    next[owner] = place + 1;
  }
  return { places, ends, grouped };
}

/** Ids in their places, and where each stood. */
function moved(ids: BigUint64Array, places: Int32Array): ShardIds {
  const out = { ids: new BigUint64Array(ids.length), positions: new Int32Array(ids.length) };
  move(ids, places, out.ids);
  for (let i = 0; i < ids.length; i++) out.positions[places[i] as number] = i;
  return out;
}

/** out[places[i]] = ids[i]; by halves, because a bigint for each id is ten times the time. */
function move(ids: BigUint64Array, places: Int32Array, out: BigUint64Array): void {
  const [from, to] = [halvesOf(ids), halvesOf(out)];
  for (let i = 0; i < ids.length; i++) {
    const at = 2 * (places[i] as number);
    to[at] = from[2 * i] as number;
    to[at + 1] = from[2 * i + 1] as number;
  }
}
