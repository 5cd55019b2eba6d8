import type { Kernel } from "../kernel.ts";
import { pieces } from "../../pieces.ts";
import type { TableRows } from "../../port.ts";
import { createRowCopies } from "./row-copies.ts";
import { type Staging, stagedRowsOf } from "../staging.ts";

/** The rows of a table in ascending order of id: all, or those that changed after version `since`. */
export function snapshotOf(kernel: Kernel, staging: Staging, since = -1): TableRows {
  const { stagedRows } = staging;
  const ids = idsOf(kernel, staging, since).sort();
  const out = createRowCopies(staging, ids.length);
  for (const { from, to } of pieces(ids.length, stagedRows)) {
    staging.ids.set(ids.subarray(from, to));
    kernel.read(to - from);
    out.append(stagedRowsOf(staging), 0, to - from);
  }
  return out.rows();
}

function idsOf(kernel: Kernel, staging: Staging, since: number): BigUint64Array {
  const found = new BigUint64Array(kernel.rows.value >>> 0);
  let count = 0;
  kernel.startWalk();
  for (const { from, to } of pieces(kernel.cellsTaken() >>> 0, staging.stagedRows)) {
    const some = kernel.nextIds(to - from, since);
    found.set(staging.ids.subarray(0, some), count);
    count += some;
  }
  return found.subarray(0, count);
}

/** Writes rows over those of the same ids, and adds the others. */
export function writeRows(kernel: Kernel, staging: Staging, saved: TableRows): void {
  const { dimension, slotWidth, stagedRows, versions, rowVersions } = staging;
  for (const { from, to } of pieces(saved.ids.length, stagedRows)) {
    staging.ids.set(saved.ids.subarray(from, to));
    staging.values.set(saved.values.subarray(from * dimension, to * dimension));
    staging.slots.set(saved.slots.subarray(from * slotWidth, to * slotWidth));
    if (versions) rowVersions.set(saved.versions?.subarray(from, to) ?? new Uint32Array(to - from));
    kernel.write(to - from);
  }
}
