// The kernel of one parameter table, on a memory of its own. The caller stages ids and numbers, calls, and reads what is staged.
import { narrow, roundAll } from "./table/bfloat16";
import { copyWide } from "./copy";
import { cutLeft, freeze, nextOfCut, takeOfCut } from "./table/cut";
import { release } from "./table/cut-cells";
import { drawRow, setDraw } from "./table/draw";
import { find, findAll } from "./table/find";
import { addRow, clear, hasRoom, moveRows, movesPerRow, reserve } from "./table/id-index";
import { setOptimizer } from "./table/hyperparameters";
import {
  areaOf,
  foundAt,
  halves,
  idBytes,
  idsAt,
  layOut,
  recordOf,
  rowAt,
  setVersion,
  slotsAt,
  storedBytes,
  stride,
  valuesAt,
  valueBytes,
  versionBytes,
  versionOf,
  versionsAt,
} from "./table/layout";
import { expired, isDead, markGone, mortal, noteEnd, setClock, setLife } from "./table/life";
import { startSlots, update } from "./table/optimizers";
import {
  callersWalk,
  cellsTaken,
  frontier,
  rows,
  startWalk as startWalkOf,
  walkOn,
} from "./table/rows";
import {
  foundRecord,
  idAt,
  livingRecord,
  noteFound,
  readValues,
  stagedValues,
  stageId,
  stageRow,
  stageVersion,
  unstageRow,
} from "./table/staged";
import { countLiving, sweep, sweepAll, sweptPerRow } from "./table/sweep";

export { clear, hasRoom, reserve, rows, setDraw, setOptimizer };
export { cutLeft, freeze, nextOfCut, release, takeOfCut };
export { cellsTaken, countLiving, expired, setClock, setLife, sweepAll };
export { foundAt, idsAt, slotsAt, valuesAt, versionsAt };

/** Call it once, before all else. */
export function configure(
  rowValues: u32,
  rowSlots: u32,
  stagedRows: u32,
  versions: bool,
  inHalves: bool,
): bool {
  layOut(rowValues, rowSlots, stagedRows, versions, inHalves);
  return clear(0);
}

/** Bytes up to the last cell that was ever taken. Those behind it are reserved, but nobody wrote to them: they lie nowhere. */
export function usedBytes(): u32 {
  return <u32>areaOf(frontier);
}

/** How many of the staged ids have no row. */
export function countMissing(count: u32): u32 {
  return findAll(count, idBytes);
}

/** Notes the record of each staged id whose row is not dead, or 0; says how many have none. */
export function countAbsent(count: u32): u32 {
  findAll(count, idBytes);
  let absent: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const record = livingRecord(i);
    noteFound(i, <u32>record);
    absent += u32(record == 0);
  }
  return absent;
}

/** Stages values and versions of the staged ids; a row that is not there is drawn, but not made. */
export function pull(count: u32): void {
  const missing = findAll(count, idBytes + storedBytes);
  if (missing == 0 && !mortal && !halves) copyFound(count);
  else for (let i: u32 = 0; i < count; i++) readOrDraw(i);
  if (versionBytes == 0) return;
  for (let i: u32 = 0; i < count; i++) {
    const record = livingRecord(i);
    stageVersion(i, record == 0 ? 0 : versionOf(record));
  }
}

/** Stages values and versions of those staged ids whose row changed after a version, and in `found` their positions. */
export function pullNewer(count: u32, since: u32): u32 {
  findAll(count, idBytes);
  let staged: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const record = livingRecord(i);
    if (record == 0 || versionOf(record) <= since) continue;
    noteFound(staged, i);
    stageVersion(staged, versionOf(record));
    readValues(record, stagedValues(staged++));
  }
  return staged;
}

/** The position of the first staged gradient that is not a number of at most `limit` in size, or `count`. */
export function firstBad(count: u32, limit: f32): u32 {
  const limits = f32x4.splat(limit);
  let i: u32 = 0;
  // Sixteen at a time: one branch for what one row has.
  for (; i + 16 <= count; i += 16) {
    const at = valuesAt + ((<usize>i) << 2);
    const first = f32x4.le(f32x4.abs(v128.load(at)), limits);
    const second = f32x4.le(f32x4.abs(v128.load(at, 16)), limits);
    const third = f32x4.le(f32x4.abs(v128.load(at, 32)), limits);
    const fourth = f32x4.le(f32x4.abs(v128.load(at, 48)), limits);
    const all = v128.and(v128.and(first, second), v128.and(third, fourth));
    if (!i32x4.all_true(all)) break;
  }
  while (i < count && abs<f32>(load<f32>(valuesAt + ((<usize>i) << 2))) <= limit) i++;
  return i;
}

/**
 * Applies the staged gradients to the staged ids; rows not there are made, for which memory is reserved, and dead ones begin anew in their
 * place.
 */
export function push(count: u32, version: u32): void {
  moveRows(count * movesPerRow);
  sweep(count * sweptPerRow);
  if (findAll(count, stride) > 0 || mortal) {
    for (let i: u32 = 0; i < count; i++) if (livingRecord(i) == 0) makeRow(i, version);
  }
  update(count);
  if (versionBytes == 0) return;
  for (let i: u32 = 0; i < count; i++) setVersion(foundRecord(i), version);
}

export function startWalk(): void {
  startWalkOf(callersWalk);
}

/** Goes on over `count` cells of a walk and stages the ids of rows changed after a version; −1 stages all. Says how many. */
export function nextIds(count: u32, since: f64): u32 {
  const after = <i64>since;
  let staged: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const record = recordOf(walkOn(callersWalk));
    if (<i64>versionOf(record) > after && !isDead(record)) stageId(staged++, load<u64>(record));
  }
  return staged;
}

/** Stages all of the rows of the staged ids, which are there. */
export function read(count: u32): void {
  findAll(count, stride);
  for (let i: u32 = 0; i < count; i++) stageRow(foundRecord(i), i);
}

/** Most rows of the write before were not there. */
let wroteNew: bool = false;

/** Writes the staged rows over those of the same ids; rows not there are added, for which memory is reserved. */
export function write(count: u32): void {
  moveRows(count * movesPerRow);
  // One that adds rows follows another: then no records need be read ahead, they would be those of other ids.
  wroteNew = findAll(count, wroteNew ? 0 : stride) * 2 > count;
  for (let i: u32 = 0; i < count; i++) {
    const record = foundRecord(i);
    unstageRow(record == 0 ? addRow(idAt(i)) : record, i);
  }
}

/** Removes the rows of the staged ids, where there are any. */
export function remove(count: u32): void {
  sweep(count * sweptPerRow);
  findAll(count, idBytes);
  for (let i: u32 = 0; i < count; i++) if (livingRecord(i) != 0) markGone(foundRecord(i));
}

function makeRow(i: u32, version: u32): void {
  const id = idAt(i);
  // An id that stands twice in a call is made once.
  let record = find(id);
  const dead = record != 0 && isDead(record);
  if (dead) noteEnd(record);
  if (record == 0 || dead) {
    if (record == 0) record = addRow(id);
    setVersion(record, version);
    const values = halves ? rowAt : record + idBytes;
    drawAt(id, values);
    if (halves) narrow(values, record + idBytes);
    startSlots(values, record + idBytes + storedBytes);
  }
  noteFound(i, <u32>record);
}

/** Most pulls: all rows are there. */
function copyFound(count: u32): void {
  const found = foundAt;
  const bytes = valueBytes;
  let out = valuesAt;
  for (let i: u32 = 0; i < count; i++) {
    copyWide(<usize>load<u32>(found + ((<usize>i) << 2)) + idBytes, out, bytes);
    out += bytes;
  }
}

function readOrDraw(i: u32): void {
  const record = livingRecord(i);
  const out = stagedValues(i);
  if (record != 0) readValues(record, out);
  else drawAt(idAt(i), out);
}

function drawAt(id: u64, at: usize): void {
  drawRow(id, at);
  if (halves) roundAll(at);
}
