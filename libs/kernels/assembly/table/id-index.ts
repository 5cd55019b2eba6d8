// From an id to its record: open addressing with linear probes, 4 bytes a slot. A slot holds (tag, cell + 1), 0 when empty; the
// id itself stands in the record, so that any id is legal. The tag, bits of the hash, keeps probes off other ids' records.
import { forgetCut, passOver } from "./cut-cells";
import { areaOf, cellsMax, cellsOf, reach, reached, recordOf } from "./layout";
import { isFree } from "./life";
import {
  cellsTaken,
  clearRows,
  freeCell,
  frontierAfter,
  giveCells,
  movesWalk,
  rows,
  startWalk,
  takeCells,
  takeCell,
  walkOn,
} from "./rows";

const slotsMin: u32 = 1024;
/** Slots that a look-up reads at once, and the one behind them; so many empty ones stand behind the last slot. */
export const slotsAtOnce: u32 = 4;

export let slotsAt: usize = 0;
export let slotMask: u32 = 0;
/** The bits of a slot that number a cell. */
export let cellMask: u32 = 0;

/** While it grows: the index before, which has all rows that came before growth; else `oldMask` is 0. */
export let oldAt: usize = 0;
export let oldMask: u32 = 0;
let oldFirst: u32 = 0;
let first: u32 = 0;
/** Cells whose rows the new index still lacks. */
let toMove: u32 = 0;

/** How many rows a row that comes or changes moves: growth ends long before the next one begins. */
export const movesPerRow: u32 = 4;

/** Forgets all rows and makes room for so many. When memory does not suffice it says false and has forgotten nothing. */
export function clear(expected: u32): bool {
  if (expected > cellsMax) return false;
  const slots = slotsFor(expected);
  const cells = cellsOf(indexBytes(slots));
  if (!reach(<u64>cells + expected)) return false;
  clearRows();
  forgetCut();
  cellMask = 0xffffffff >> clz(cellsMax);
  oldMask = 0;
  toMove = 0;
  place(takeCells(cells), slots);
  return true;
}

/** True when so many more rows need neither memory nor a larger index. */
export function hasRoom(more: u32): bool {
  return fits(<u64>rows + more, slotMask + 1) && reached(frontierAfter(more, again()));
}

/** Makes sure that so many more rows can be added; false when memory does not suffice. */
export function reserve(more: u32): bool {
  const wanted = <u64>rows + more;
  if (wanted > cellsMax) return false;
  if (fits(wanted, slotMask + 1)) return reach(frontierAfter(more, again()));
  const slots = slotsFor(<u32>wanted);
  const cells = cellsOf(indexBytes(slots));
  if (!reach(frontierAfter(more, false) + cells)) return false;
  moveRows(toMove);
  oldAt = slotsAt;
  oldMask = slotMask;
  oldFirst = first;
  toMove = cellsTaken();
  startWalk(movesWalk);
  place(takeCells(cells), slots);
  if (toMove == 0) leaveOld();
  return true;
}

/** Moves the rows of up to `count` cells on to the new index. */
export function moveRows(count: u32): void {
  if (toMove == 0) return;
  const now = min(count, toMove);
  for (let i: u32 = 0; i < now; i++) {
    const cell = walkOn(movesWalk);
    const record = recordOf(cell);
    if (!isFree(record)) add(hashOf(load<u64>(record)), cell);
  }
  toMove -= now;
  if (toMove == 0) leaveOld();
}

export function hashOf(id: u64): u64 {
  // @source the finaliser of MurmurHash3, Austin Appleby, public domain.
  let x = (id ^ (id >> 33)) * 0xff51afd7ed558ccd;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53;
  return x ^ (x >> 33);
}

/** The record of an id that has none; memory is reserved. */
export function addRow(id: u64): usize {
  const cell = takeCell(again());
  passOver(cell);
  const record = recordOf(cell);
  store<u64>(record, id);
  add(hashOf(id), cell);
  return record;
}

/**
 * Takes the row of a cell out of an index that does not grow, and frees the cell. Slots behind it close up, so that a probe meets no
 * slot without a row.
 *
 * @source Knuth, The Art of Computer Programming, volume 3, section 6.4, algorithm R.
 */
export function removeRow(cell: u32): void {
  const slots = slotsAt;
  const mask = slotMask;
  let hole = homeOf(cell);
  while ((load<u32>(slots + ((<usize>hole) << 2)) & cellMask) != cell + 1) hole = (hole + 1) & mask;
  let at = hole;
  while (true) {
    at = (at + 1) & mask;
    const slot = load<u32>(slots + ((<usize>at) << 2));
    if (slot == 0) break;
    const home = homeOf((slot & cellMask) - 1);
    // It may not go before its home.
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    store<u32>(slots + ((<usize>hole) << 2), slot);
    hole = at;
  }
  store<u32>(slots + ((<usize>hole) << 2), 0);
  freeCell(cell);
}

function homeOf(cell: u32): u32 {
  return (<u32>hashOf(load<u64>(recordOf(cell)))) & slotMask;
}

/** While the index grows, new rows take new cells: its walk goes over those that there were. */
function again(): bool {
  return oldMask == 0;
}

function add(hash: u64, cell: u32): void {
  let at = (<u32>hash) & slotMask;
  while (load<u32>(slotsAt + ((<usize>at) << 2)) != 0) at = (at + 1) & slotMask;
  store<u32>(slotsAt + ((<usize>at) << 2), ((<u32>(hash >> 32)) & ~cellMask) | (cell + 1));
}

function place(cell: u32, slots: u32): void {
  first = cell;
  slotsAt = areaOf(cell);
  slotMask = slots - 1;
  memory.fill(slotsAt, 0, <usize>indexBytes(slots));
}

function leaveOld(): void {
  giveCells(oldFirst, cellsOf(indexBytes(oldMask + 1)));
  oldMask = 0;
}

function indexBytes(slots: u32): u64 {
  return (<u64>slots + slotsAtOnce) << 2;
}

/** At most five sixths full: most probes stay within a cache line, and slots cost 5 to 10 bytes a row. */
function fits(count: u64, slots: u32): bool {
  return count * 6 <= <u64>slots * 5;
}

function slotsFor(count: u32): u32 {
  let slots = slotsMin;
  while (!fits(count, slots)) slots <<= 1;
  return slots;
}
