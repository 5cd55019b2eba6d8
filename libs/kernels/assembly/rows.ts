// Rows in the order in which they came: runs of cells, broken where an index was allocated between them. Rows never move.
import { runsAt } from "./layout";

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
  store<u32>(at, first);
  store<u32>(at, first, 4);
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

/** A walk over all rows in order: (run, cell). The index has one of its own, a caller of the table the other. */
let walkRun: u32 = 0;
let walkCell: u32 = 0;
let moveRun: u32 = 0;
let moveCell: u32 = 0;

export function startWalk(): void {
  walkRun = 0;
  walkCell = runFirst(0);
}

/** The cell after the last one of this walk; the caller counts. */
export function walk(): u32 {
  while (walkCell == runEndOf(walkRun)) walkCell = runFirst(++walkRun);
  return walkCell++;
}

export function startMove(): void {
  moveRun = 0;
  moveCell = runFirst(0);
}

export function move(): u32 {
  while (moveCell == runEndOf(moveRun)) moveCell = runFirst(++moveRun);
  return moveCell++;
}
