// Looking ids up. A random row is two reads from main memory, its slot and then its record: so many of them must be under way at a
// time. WebAssembly has no prefetch, but reads that nothing waits for do the same, as long as no branch stands between them: so where a
// probe ends is not found by a loop, but by looking at several slots at once.
import { cellMask, hashOf, oldAt, oldMask, slotMask, slotsAt, slotsAtOnce } from "./id-index";
import { cellsAt, foundAt, idsAt, recordOf, stride } from "./layout";

const lineBytes: u32 = 64;
/** The processor itself reads on where a record is longer. */
const touchedMax: u32 = 4 * lineBytes;

/** Keeps the compiler from leaving out reads of which nothing is made. */
let sink: u32 = 0;

/**
 * Notes the record of each staged id, or 0; says how many have none.
 *
 * @param bytes of each record that will be used.
 */
export function findAll(count: u32, bytes: u32): u32 {
  noteSlots(count);
  const touched = min(bytes, touchedMax);
  for (let at: u32 = 0; at < touched; at += 2 * lineBytes) {
    touch(count, at, min(at + lineBytes, touched - 4));
  }
  return settle(count);
}

/** The record of an id, or 0. */
export function find(id: u64): usize {
  const hash = hashOf(id);
  const record = probe(slotsAt, slotMask, hash, id);
  return record == 0 && oldMask != 0 ? probe(oldAt, oldMask, hash, id) : record;
}

/**
 * Notes the first slot with an id's tag among those where its probe begins, nearly always its row's; another where there is none. What a
 * loop needs stands in local variables, which stay in registers.
 */
function noteSlots(count: u32): void {
  const slots = slotsAt;
  const mask = slotMask;
  const ids = idsAt;
  const found = foundAt;
  const tags = ~cellMask;
  const empty = i32x4.splat(0);
  for (let i: u32 = 0; i < count; i++) {
    const hash = hashOf(load<u64>(ids + ((<usize>i) << 3)));
    const home = slots + ((<usize>((<u32>hash) & mask)) << 2);
    const those = v128.load(home);
    const tag = i32x4.splat((<u32>(hash >> 32)) & tags);
    const alike = i32x4.eq(v128.and(those, i32x4.splat(tags)), tag);
    const alikeAndFull = v128.and(alike, i32x4.ne(those, empty));
    const first = ctz(i32x4.bitmask(alikeAndFull) | (1 << slotsAtOnce));
    store<u32>(found + ((<usize>i) << 2), load<u32>(home + ((<usize>first) << 2)));
  }
}

/** Reads at two places of the record that each noted slot names; of an empty one, what lies before the first cell. */
function touch(count: u32, offset: u32, second: u32): void {
  const found = foundAt;
  const cells = cellMask;
  const size = <usize>stride;
  const before = cellsAt - size + offset;
  const further = second - offset;
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const cell = load<u32>(found + ((<usize>i) << 2)) & cells;
    const record = before + <usize>cell * size;
    sum += load<u32>(record) + load<u32>(record + further);
  }
  sink = sum;
}

/** From noted slots to records: compares ids, of which each has one row at most, and probes where another one sits. */
function settle(count: u32): u32 {
  const cells = cellMask;
  const ids = idsAt;
  const found = foundAt;
  const size = <usize>stride;
  const before = cellsAt - size;
  let missing: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u64>(ids + ((<usize>i) << 3));
    const slot = load<u32>(found + ((<usize>i) << 2));
    let record = before + <usize>(slot & cells) * size;
    if (slot == 0 || load<u64>(record) != id) {
      record = find(id);
      missing += u32(record == 0);
    }
    store<u32>(found + ((<usize>i) << 2), <u32>record);
  }
  return missing;
}

function probe(slots: usize, mask: u32, hash: u64, id: u64): usize {
  const tag = (<u32>(hash >> 32)) & ~cellMask;
  let at = (<u32>hash) & mask;
  while (true) {
    const slot = load<u32>(slots + ((<usize>at) << 2));
    if (slot == 0) return 0;
    if ((slot & ~cellMask) == tag) {
      const record = recordOf((slot & cellMask) - 1);
      if (load<u64>(record) == id) return record;
    }
    at = (at + 1) & mask;
  }
}
