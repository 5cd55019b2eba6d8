import type { TableRows } from "../../port.ts";
import { createRowCopies } from "../snapshot/row-copies.ts";

/** Rows of several parts, each ascending by id, as one. */
export function mergeRows(
  parts: readonly TableRows[],
  dimension: number,
  slotWidth: number,
): TableRows {
  const total = parts.reduce((sum, { ids }) => sum + ids.length, 0);
  const versions = parts.some((part) => part.versions !== undefined);
  const out = createRowCopies({ dimension, slotWidth, versions }, total);
  const heads = parts.map((rows) => ({ rows, at: 0 }));
  for (let taken = 0; taken < total; taken++) {
    let least: (typeof heads)[number] | undefined;
    for (const head of heads) {
      const id = head.rows.ids[head.at];
      if (id === undefined) continue;
      if (least === undefined || id < (least.rows.ids[least.at] as bigint)) least = head;
    }
    if (least !== undefined) out.append(least.rows, least.at++, 1);
  }
  return out.rows();
}
