import type { ModelTensors } from "../digest.ts";

/** Rows of one table, ascending by id. */
export interface TermRows {
  readonly ids: BigUint64Array;
  /** shape [rows, width]. */
  readonly values: Float32Array;
}

/**
 * The rows that a version serves: those of its terms' tables side by side, ascending by id. Where a table has no row there are zeros, as
 * for an id that training never saw.
 *
 * @param tables in the order of the terms.
 * @param width values of a row of each.
 */
export function servedRows(
  tables: readonly TermRows[],
  width: number,
): Pick<ModelTensors, "ids" | "values"> {
  const [only] = tables;
  if (only === undefined) return { ids: new BigUint64Array(), values: new Float32Array() };
  if (tables.length === 1) return { ids: only.ids, values: only.values };
  const places = tables.map(() => 0);
  const most = tables.reduce((sum, { ids }) => sum + ids.length, 0);
  const ids = new BigUint64Array(most);
  const values = new Float32Array(most * width * tables.length);
  let rows = 0;
  for (;;) {
    const id = lowestAt(tables, places);
    if (id === undefined) break;
    tables.forEach((table, n) => {
      const place = places[n] as number;
      if (table.ids[place] !== id) return;
      const row = table.values.subarray(place * width, (place + 1) * width);
      values.set(row, (rows * tables.length + n) * width);
      places[n] = place + 1;
    });
    ids[rows++] = id;
  }
  return { ids: ids.slice(0, rows), values: values.slice(0, rows * width * tables.length) };
}

function lowestAt(tables: readonly TermRows[], places: readonly number[]): bigint | undefined {
  let lowest: bigint | undefined;
  tables.forEach(({ ids }, n) => {
    const id = ids[places[n] as number];
    if (id !== undefined && (lowest === undefined || id < lowest)) lowest = id;
  });
  return lowest;
}
