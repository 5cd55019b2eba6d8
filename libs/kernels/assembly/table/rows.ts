// Rows in the order in which they came: runs of cells, broken where an index was allocated between them. Rows never move. A cell whose
// row was removed stays in its run, marked, and goes to the next row that comes.
import { recordOf, runsAt, setVersion, walksAt } from "./layout";
import { freeMark } from "./life";

/** Rows in all. */
export let rows: u32 = 0;
/** The first cell after all that was ever taken. */
export let frontier: u32 = 0;

/** Cells of runs that have no row, each with the number of the next one, plus one, where its row's id was. */
let freeCells: u32 = 0;
let firstFree: u32 = 0;

let runCount: u32 = 0;
/** The current run's next cell and its end. A run at the frontier has no end of its own. */
let next: u32 = 0;
let end: u32 = 0;
const open: u32 = 0xffffffff;

export function clearRows(): void {
  rows = 0;
  frontier = 0;
  runCount = 0;
  freeCells = 0;
  firstFree = 0;
  openRun(0, open);
}

/**
 * A new row's cell; the caller has seen to it that memory reaches there.
 *
 * @param again whether it may be a cell that had a row before.
 */
export function takeCell(again: bool): u32 {
  if (again && freeCells > 0) {
    const cell = firstFree - 1;
    firstFree = load<u32>(recordOf(cell));
    freeCells--;
    rows++;
    return cell;
  }
  if (next == end) openRun(frontier, open);
  const cell = next++;
  if (end == open) frontier = next;
  setRunEnd();
  rows++;
  return cell;
}

/** Its row was taken out of the index. */
export function freeCell(cell: u32): void {
  const record = recordOf(cell);
  store<u32>(record, firstFree);
  setVersion(record, freeMark);
  firstFree = cell + 1;
  freeCells++;
  rows--;
}

/** Cells of all runs: those with rows, and those that had one. */
export function cellsTaken(): u32 {
  return rows + freeCells;
}

/** The frontier after `more` further rows; `again` as in `takeCell`. */
export function frontierAfter(more: u32, again: bool): u64 {
  const inRun: u32 = end == open ? 0 : end - next;
  const there = <u64>inRun + (again ? freeCells : 0);
  return <u64>frontier + (more > there ? more - there : 0);
}

/** Takes consecutive cells at the frontier for something else than rows. */
export function takeCells(count: u32): u32 {
  const first = frontier;
  frontier += count;
  if (end == open) openRun(frontier, open);
  return first;
}

/**
 * Gives cells to the rows that come next. Those given before are always filled by then, because the next index comes only
 * after more rows than lie in them; if not, these would stay unused, and nothing else.
 */
export function giveCells(first: u32, count: u32): void {
  if (end == open) openRun(first, first + count);
}

function openRun(first: u32, runEnd: u32): void {
  // A run that got no row is written over.
  if (runCount > 0 && runFirst(runCount - 1) == runEndOf(runCount - 1)) runCount--;
  const at = runsAt + ((<usize>runCount) << 3);
  setPlace(at, first, first);
  runCount++;
  next = first;
  end = runEnd;
}

function setRunEnd(): void {
  store<u32>(runsAt + ((<usize>(runCount - 1)) << 3), next, 4);
}

function runFirst(run: u32): u32 {
  return load<u32>(runsAt + ((<usize>run) << 3));
}

function runEndOf(run: u32): u32 {
  return load<u32>(runsAt + ((<usize>run) << 3), 4);
}

// Walks over all cells of runs in order. Each is a place in memory: (run, cell).
/** The walk of the table's caller, that of a growing index, that of a cut, where a cut ends, and that of the sweep. */
export const callersWalk: usize = walksAt;
export const movesWalk: usize = walksAt + 8;
export const cutsWalk: usize = walksAt + 16;
export const cutsEnd: usize = walksAt + 24;
export const sweepsWalk: usize = walksAt + 32;

export function startWalk(walk: usize): void {
  setPlace(walk, 0, runFirst(0));
}

/** The cell after the last one of this walk; the caller sees to it that there is one. */
export function walkOn(walk: usize): u32 {
  let run = load<u32>(walk);
  let cell = load<u32>(walk, 4);
  while (cell == runEndOf(run)) cell = runFirst(++run);
  setPlace(walk, run, cell + 1);
  return cell;
}

/** As `walkOn`, but begins again behind the last cell, of which there must be one; for a walk that goes on while all else changes. */
export function walkOnAround(walk: usize): u32 {
  const run = load<u32>(walk);
  const cell = load<u32>(walk, 4);
  const last = lastRun();
  // The first run may have moved since, as long as it had no row.
  const lost = run > last || cell < runFirst(run) || cell > runEndOf(run);
  if (lost || (run == last && cell == runEndOf(run))) startWalk(walk);
  return walkOn(walk);
}

/** Notes the place behind the row that came last. */
export function markEnd(place: usize): void {
  const run = lastRun();
  setPlace(place, run, runEndOf(run));
}

/** The last run with a row, which may be the first one without. One that has none will be written over. */
function lastRun(): u32 {
  const last = runCount - 1;
  return last > 0 && runFirst(last) == runEndOf(last) ? last - 1 : last;
}

export function samePlace(walk: usize, place: usize): bool {
  return load<u64>(walk) == load<u64>(place);
}

function setPlace(place: usize, run: u32, cell: u32): void {
  store<u32>(place, run);
  store<u32>(place, cell, 4);
}
