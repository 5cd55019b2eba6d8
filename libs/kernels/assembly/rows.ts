// Rows in the order in which they came: runs of cells, broken where an index was allocated between them. Rows never move.
import { runsAt, walksAt } from "./layout";

/** Rows in all. */
export let rows: u32 = 0;
/** The first cell after all that was ever taken. */
export let frontier: u32 = 0;

let runCount: u32 = 0;
/** The current run's next cell and its end. A run at the frontier has no end of its own. */
let next: u32 = 0;
let end: u32 = 0;
const open: u32 = 0xffffffff;

export function clearRows(): void {
  rows = 0;
  frontier = 0;
  runCount = 0;
  openRun(0, open);
}

/** A new row's cell; the caller has seen to it that memory reaches there. */
export function takeCell(): u32 {
  if (next == end) openRun(frontier, open);
  const cell = next++;
  if (end == open) frontier = next;
  setRunEnd();
  rows++;
  return cell;
}

/** The frontier after `more` further rows. */
export function frontierAfter(more: u32): u64 {
  const inRun: u32 = end == open ? 0 : end - next;
  return <u64>frontier + (more > inRun ? more - inRun : 0);
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

// Walks over all rows in order. Each is a place in memory: (run, cell).
/** The walk of the table's caller, that of a growing index, that of a cut, and where a cut ends. */
export const callersWalk: usize = walksAt;
export const movesWalk: usize = walksAt + 8;
export const cutsWalk: usize = walksAt + 16;
export const cutsEnd: usize = walksAt + 24;

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

/** Notes the place behind the row that came last. */
export function markEnd(place: usize): void {
  // A run without a row will be written over.
  const last = runCount - 1;
  const run = last > 0 && runFirst(last) == runEndOf(last) ? last - 1 : last;
  setPlace(place, run, runEndOf(run));
}

export function samePlace(walk: usize, place: usize): bool {
  return load<u64>(walk) == load<u64>(place);
}

function setPlace(place: usize, run: u32, cell: u32): void {
  store<u32>(place, run);
  store<u32>(place, cell, 4);
}
