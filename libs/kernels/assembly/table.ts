// The kernel of one parameter table, on a memory of its own. The caller stages ids and numbers, calls, and reads what is staged.
import { addRow, clear, hasRoom, moveRows, movesPerRow, reserve } from "./index";
import { copy } from "./copy";
import { find, findAll } from "./find";
import {
  foundAt,
  idBytes,
  idsAt,
  layOut,
  recordOf,
  slotBytes,
  slotsAt,
  stride,
  valueBytes,
  valuesAt,
} from "./layout";
import { setOptimizer, startSlots, update } from "./optimizers";
import { rows, startWalk, walk } from "./rows";

/** Writes a row's initial draw to an address: it needs logarithm and sine with the caller's bits. */
declare function draw(low: u32, high: u32, at: usize): void;

export { clear, hasRoom, idsAt, reserve, rows, setOptimizer, slotsAt, startWalk, valuesAt };

/** Call it once, before all else. */
export function configure(rowValues: u32, rowSlots: u32, stagedRows: u32): bool {
  layOut(rowValues, rowSlots, stagedRows);
  return clear(0);
}

/** How many of the staged ids have no row. */
export function countMissing(count: u32): u32 {
  return findAll(count, idBytes);
}

/** Stages the values of the staged ids; a row that is not there is drawn, but not made. */
export function pull(count: u32): void {
  findAll(count, idBytes + valueBytes);
  for (let i: u32 = 0; i < count; i++) {
    const record = foundRecord(i);
    const out = valuesAt + <usize>i * valueBytes;
    if (record != 0) copy(record + idBytes, out, valueBytes);
    else drawAt(idAt(i), out);
  }
}

/** The position of the first staged gradient that is not a number of at most `limit` in size, or `count`. */
export function firstBad(count: u32, limit: f32): u32 {
  const limits = f32x4.splat(limit);
  let i: u32 = 0;
  for (; i + 4 <= count; i += 4) {
    const size = f32x4.abs(v128.load(valuesAt + ((<usize>i) << 2)));
    if (!v128.all_true<i32>(f32x4.le(size, limits))) break;
  }
  while (i < count && abs<f32>(load<f32>(valuesAt + ((<usize>i) << 2))) <= limit) i++;
  return i;
}

/** Applies the staged gradients to the staged ids; rows not there are made, for which memory is reserved. */
export function push(count: u32): void {
  moveRows(count * movesPerRow);
  if (findAll(count, stride) > 0) {
    for (let i: u32 = 0; i < count; i++) if (foundRecord(i) == 0) makeRow(i);
  }
  update(count);
}

/** Stages the ids of the next rows of a walk. */
export function nextIds(count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u64>(idsAt + ((<usize>i) << 3), load<u64>(recordOf(walk())));
  }
}

/** Stages values and slots of the staged ids, which all have rows. */
export function read(count: u32): void {
  findAll(count, stride);
  for (let i: u32 = 0; i < count; i++) {
    const values = foundRecord(i) + idBytes;
    copy(values, valuesAt + <usize>i * valueBytes, valueBytes);
    copy(values + valueBytes, slotsAt + <usize>i * slotBytes, slotBytes);
  }
}

/** Adds rows with the staged ids, none of which has one, and the staged values and slots. */
export function write(count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const values = addRow(idAt(i)) + idBytes;
    copy(valuesAt + <usize>i * valueBytes, values, valueBytes);
    copy(slotsAt + <usize>i * slotBytes, values + valueBytes, slotBytes);
  }
}

function makeRow(i: u32): void {
  const id = idAt(i);
  // An id that stands twice in a call is made once.
  let record = find(id);
  if (record == 0) {
    record = addRow(id);
    drawAt(id, record + idBytes);
    startSlots(record);
  }
  store<u32>(foundAt + ((<usize>i) << 2), <u32>record);
}

function drawAt(id: u64, at: usize): void {
  draw(<u32>id, <u32>(id >> 32), at);
}

function idAt(i: u32): u64 {
  return load<u64>(idsAt + ((<usize>i) << 3));
}

function foundRecord(i: u32): usize {
  return load<u32>(foundAt + ((<usize>i) << 2));
}
