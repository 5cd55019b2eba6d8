// A cut: the rows as they are at one moment, read while pushes go on.
import { claim, needAll } from "./cut-cells";
import { findAll } from "./find";
import { cellOf, foundAt, recordOf, stride, versionOf } from "./layout";
import { clock, isDeadAt } from "./life";
import { cutsEnd, cutsWalk, markEnd, samePlace, startWalk, walkOn } from "./rows";
import { stageRow } from "./staged";

/** Rows changed by no later push than this are left out; −1 leaves out none. */
let after: i64 = -1;
/** Rows that were dead then are left out, too. */
let cutClock: u32 = 0;

/** Begins a cut; false when memory does not suffice. */
export function freeze(since: f64): bool {
  if (!needAll()) return false;
  startWalk(cutsWalk);
  markEnd(cutsEnd);
  after = <i64>since;
  cutClock = clock;
  return true;
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

function wanted(record: usize): bool {
  return <i64>versionOf(record) > after && !isDeadAt(record, cutClock);
}
