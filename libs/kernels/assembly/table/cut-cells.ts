// Which cells a cut still needs. A bit for each says that it needs it no more: it was read, or handed over before a push changed it, or
// came later. The bits lie in cells, and stay there for the next cut.
import { areaOf, cellsOf, reach } from "./layout";
import { frontier, giveCells, takeCells } from "./rows";

/** Cells that were taken at the cut; 0 when there is none. */
let cutCells: u32 = 0;
let bitsFirst: u32 = 0;
let bitsHeld: u32 = 0;
let bitsAt: usize = 0;

/** From now on there is a cut, which needs all cells that are taken; false when memory does not suffice. */
export function needAll(): bool {
  const taken = frontier;
  const bytes = ((<u64>taken + 31) >> 5) << 2;
  if (cellsOf(bytes) > bitsHeld && !placeBits(2 * bytes)) return false;
  memory.fill(bitsAt, 0, <usize>bytes);
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

/** True once for each cell that the cut still needs. */
export function claim(cell: u32): bool {
  if (cell >= cutCells) return false;
  const at = bitsAt + (((<usize>cell) >> 5) << 2);
  const bits = load<u32>(at);
  const bit: u32 = 1 << (cell & 31);
  store<u32>(at, bits | bit);
  return (bits & bit) == 0;
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
