import { HeddleError } from "@heddle/base";
import { halvesOf } from "./ids.ts";
import { checkLength } from "./optimizer.ts";
import type { TableRows } from "./port.ts";

/** @throws {HeddleError} RESOURCE_EXHAUSTED TABLE_FULL. */
export function refuseBeyond(rows: number, rowsMax: number, what: string): void {
  if (rows <= rowsMax) return;
  throw new HeddleError(
    "RESOURCE_EXHAUSTED",
    "TABLE_FULL",
    `${what} of at most ${rowsMax} rows would hold ${rows}; nothing was applied: use more shards, raise their limit, or hash its inputs into fewer ids`,
    { metadata: { rowsMax: String(rowsMax) } },
  );
}

/**
 * A table's saved form must be its own: sizes right, ids ascending without repetition.
 *
 * @throws {HeddleError} INVALID_ARGUMENT WRONG_SIZE, ROWS_NOT_ASCENDING.
 */
export function checkRows(saved: TableRows, dimension: number, slotWidth: number): void {
  checkLength(saved.values.length, saved.ids.length * dimension, "the values of saved rows");
  checkLength(saved.slots.length, saved.ids.length * slotWidth, "the slots of saved rows");
  const halves = halvesOf(saved.ids);
  for (let i = 2; i < halves.length; i += 2) {
    const high = halves[i + 1] as number;
    const highBefore = halves[i - 1] as number;
    const low = halves[i] as number;
    if (high > highBefore || (high === highBefore && low > (halves[i - 2] as number))) continue;
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "ROWS_NOT_ASCENDING",
      `row ${i / 2} of saved rows does not follow the one before it: ids must ascend without repetition, as snapshot() gives them`,
    );
  }
}

/** The refusal of a table whose memory is full. */
export function noMemory(rows: number, pages: number): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "TABLE_FULL",
    `a table's memory of at most ${pages / 16} MiB does not hold ${rows} rows, or the machine has no more; nothing was applied: use more shards, or hash its inputs into fewer ids`,
    { metadata: { rows: String(rows) } },
  );
}
