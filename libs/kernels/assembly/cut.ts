// A cut: the rows as they are at one moment, read while pushes go on. A bit for each cell says that the cut needs it no more: it was
// read, or handed over before a push changed it, or came later. The bits lie in cells, and stay there for the next cut.
import { findAll } from "./find";
import { areaOf, cellOf, cellsOf, foundAt, reach, recordOf, stride, versionOf } from "./layout";
import { clock, isDeadAt } from "./life";
import {
  cutsEnd,
  cutsWalk,
  frontier,
  giveCells,
  markEnd,
  samePlace,
  startWalk,
  takeCells,
  walkOn,
} from "./rows";
import { stageRow } from "./staged";

/** Cells that were taken at the cut; 0 when there is none. */
let cutCells: u32 = 0;
/** Rows changed by no later push than this are left out; −1 leaves out none. */
let after: i64 = -1;
/** Rows that were dead then are left out, too. */
let cutClock: u32 = 0;
let bitsFirst: u32 = 0;
let bitsHeld: u32 = 0;
let bitsAt: usize = 0;

/** Begins a cut; false when memory does not suffice. */
export function freeze(since: f64): bool {
  const taken = frontier;
  const bytes = ((<u64>taken + 31) >> 5) << 2;
  if (cellsOf(bytes) > bitsHeld && !placeBits(2 * bytes)) return false;
  memory.fill(bitsAt, 0, <usize>bytes);
  startWalk(cutsWalk);
  markEnd(cutsEnd);
  after = <i64>since;
  cutClock = clock;
  cutCells = taken;
  return true;
}

export function release(): void {
  cutCells = 0;
}

export function isFrozen(): bool {
  return cutCells != 0;
}

/** The table has no rows any more, and no cells. */
export function forgetCut(): void {
  release();
  bitsHeld = 0;
}

/** A cell that gets a row belongs to no cut. */
export function passOver(cell: u32): void {
  claim(cell);
}

/** Stages those rows of the staged ids that the cut still needs, which it then has; says how many. */
export function takeOfCut(count: u32): u32 {
  findAll(count, stride);
  let staged: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const record = <usize>load<u32>(foundAt + ((<usize>i) << 2));
    if (record != 0 && claim(cellOf(record)) && wanted(record)) stageRow(record, staged++);
  }
  return staged;
}

/** Goes on over at most so many cells and stages what the cut still needs of them; says how many. */
export function nextOfCut(count: u32): u32 {
  let staged: u32 = 0;
  for (let passed: u32 = 0; passed < count && cutLeft(); passed++) {
    const cell = walkOn(cutsWalk);
    const record = recordOf(cell);
    if (claim(cell) && wanted(record)) stageRow(record, staged++);
  }
  return staged;
}

/** True while there are cells to go over. */
export function cutLeft(): bool {
  return !samePlace(cutsWalk, cutsEnd);
}

/** True once for each cell that the cut still needs. */
function claim(cell: u32): bool {
  if (cell >= cutCells) return false;
  const at = bitsAt + (((<usize>cell) >> 5) << 2);
  const bits = load<u32>(at);
  const bit: u32 = 1 << (cell & 31);
  store<u32>(at, bits | bit);
  return (bits & bit) == 0;
}

function wanted(record: usize): bool {
  return <i64>versionOf(record) > after && !isDeadAt(record, cutClock);
}

function placeBits(bytes: u64): bool {
  const cells = cellsOf(bytes);
  if (!reach(<u64>frontier + cells)) return false;
  if (bitsHeld > 0) giveCells(bitsFirst, bitsHeld);
  bitsFirst = takeCells(cells);
  bitsHeld = cells;
  bitsAt = areaOf(bitsFirst);
  return true;
}
