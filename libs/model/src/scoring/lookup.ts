import { setImmediate as nextTurn } from "node:timers/promises";
import { createIndex, type FieldCodes, openFieldRows } from "@heddle/kernels";
import type { CodedIds } from "@heddle/transform";
import type { ModelTensors } from "../digest.ts";
import type { Widths } from "@heddle/sdk/architecture";
import type { TransformedRows } from "../port.ts";

/** An embedding table in memory. */
export interface Lookup {
  /**
   * Writes what the first layers and the wide part read of some rows.
   *
   * @param joined shape [rows, joined].
   * @param wide shape [rows, fields].
   */
  gather(rows: TransformedRows, joined: Float32Array, wide: Float32Array): void;
  /** The ids in memory, in the order of their rows; read while others on this thread go on. */
  ids(): Promise<BigUint64Array>;
}

/** Dictionaries' rows that are kept; each partition of a dataset may bring dictionaries of its own. */
const keptBytesMax = 64 << 20;

/**
 * Indexes a table, while others on this thread go on. A dictionary's rows are copied once into the order of its ids: as examples lie in the order of their items,
 * they are then read nearly in sequence. An id that training never saw reads as zeros, the mean of what new rows are drawn
 * from: an embedding without opinion.
 */
export async function createLookup(
  { ids, values }: Pick<ModelTensors, "ids" | "values">,
  widths: Widths,
): Promise<Lookup> {
  const width = 1 + widths.dimension;
  const index = createIndex(ids.length);
  for (const _ of index.addAll(ids)) await nextTurn();
  const fieldRows = openFieldRows(widths);
  let known = new WeakMap<BigUint64Array, number>();

  /** The table's rows of a field's ids, in their order; zeros where it has none. */
  const rowsOf = ({ ids: wanted }: CodedIds): Float32Array => {
    const places = new Int32Array(wanted.length);
    index.findAll(wanted, places);
    const rows = new Float32Array(places.length * width);
    places.forEach((place, i) => {
      if (place < 0) return;
      const from = place * width;
      for (let j = 0; j < width; j++) rows[i * width + j] = values[from + j] as number;
    });
    return rows;
  };
  const keep = (field: CodedIds): void => {
    if (field.shared && !known.has(field.ids)) known.set(field.ids, fieldRows.keep(rowsOf(field)));
  };
  const placed = (field: CodedIds): FieldCodes => ({
    place: known.get(field.ids) ?? fieldRows.lend(rowsOf(field)),
    codes: field.codes,
  });

  return {
    gather: ({ numeric, fields }, joined, wide) => {
      if (fieldRows.keptBytes > keptBytesMax) {
        fieldRows.forget();
        known = new WeakMap();
      }
      // What is kept lies in front of what is lent.
      fields.forEach(keep);
      fieldRows.gather(numeric, fields.map(placed), joined, wide);
    },
    ids: async () => {
      const ids = new BigUint64Array(index.rows);
      for (const _ of index.copyIds(ids)) await nextTurn();
      return ids;
    },
  };
}
