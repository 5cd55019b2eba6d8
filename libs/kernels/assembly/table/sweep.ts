// Frees the cells of dead rows. A push sweeps a few cells for each of its rows, so that none waits for a whole pass. Cells stay as they are
// while an index grows, whose walk counts on them, and while there is a cut, which may still need their rows.
import { isFrozen } from "./cut-cells";
import { moveRows, oldMask, removeRow } from "./id-index";
import { recordOf } from "./layout";
import { isDead, isFree, mortal, noteEnd } from "./life";
import { callersWalk, cellsTaken, rows, startWalk, sweepsWalk, walkOn, walkOnAround } from "./rows";

/**
 * Cells that a push looks at for each of its rows. So a pass over all cells takes a fifth as many pushed rows as there are cells. In the
 * long run as many rows die as are made, at most one for each pushed: no more than a fifth of the cells has rows that died since the
 * pass before, and those that live have a quarter more cells than they need.
 */
export const sweptPerRow: u32 = 5;

/** Looks at so many cells, behind those of the call before. */
export function sweep(count: u32): void {
  if (!mortal || oldMask != 0 || isFrozen()) return;
  const now = min(count, cellsTaken());
  for (let i: u32 = 0; i < now; i++) free(walkOnAround(sweepsWalk));
}

/** Frees all dead rows' cells, unless there is a cut. */
export function sweepAll(): void {
  if (!mortal || isFrozen()) return;
  moveRows(0xffffffff);
  sweep(cellsTaken());
}

/** Rows that are not dead. */
export function countLiving(): u32 {
  if (!mortal) return rows;
  let living: u32 = 0;
  startWalk(callersWalk);
  const all = cellsTaken();
  for (let i: u32 = 0; i < all; i++) living += u32(!isDead(recordOf(walkOn(callersWalk))));
  return living;
}

function free(cell: u32): void {
  const record = recordOf(cell);
  if (!isDead(record) || isFree(record)) return;
  noteEnd(record);
  removeRow(cell);
}
