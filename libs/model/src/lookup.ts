import { createIndex, halvesOf } from "@heddle/kernels";
import type { CodedIds } from "@heddle/transform";
import type { ModelTensors } from "./digest.ts";
import type { Widths } from "@heddle/sdk/architecture";

/** An embedding table in memory. */
export interface Lookup {
  /**
   * Writes what the first layers and the wide part read of some rows.
   *
   * @param joined shape [rows, joined]; its embeddings are written, its numeric inputs are left.
   * @param wide shape [rows, fields].
   */
  gather(fields: readonly CodedIds[], joined: Float32Array, wide: Float32Array): void;
  /** The ids in memory, in the order of their rows. */
  ids(): BigUint64Array;
}

/**
 * Rows written field by field before the next rows are begun: with some hundred values each, they stay in the
 * first-level cache, while a column of a whole chunk would touch all of its lines once for each field.
 */
const blockRows = 32;

/**
 * Indexes a table. A dictionary's rows are copied once into the order of its ids: as examples lie in the order of their items,
 * they are then read nearly in sequence. An id that training never saw reads as zeros, the mean of what new rows are drawn
 * from: an embedding without opinion.
 */
export function createLookup(
  { ids, values }: Pick<ModelTensors, "ids" | "values">,
  { numeric, dimension, joined: stride }: Widths,
): Lookup {
  const width = 1 + dimension;
  const index = createIndex(ids.length);
  const halves = halvesOf(ids);
  for (let i = 0; i < halves.length; i += 2) {
    index.findOrAdd(halves[i] as number, halves[i + 1] as number);
  }
  const known = new WeakMap<BigUint64Array, Float32Array>();

  /** The table's rows of a field's ids, in their order; zeros where it has none. */
  const rowsOf = (field: CodedIds): Float32Array => {
    const kept = known.get(field.ids);
    if (kept !== undefined) return kept;
    const places = new Int32Array(field.ids.length);
    index.findAll(field.ids, places);
    const rows = new Float32Array(places.length * width);
    places.forEach((place, i) => {
      if (place < 0) return;
      const from = place * width;
      for (let j = 0; j < width; j++) rows[i * width + j] = values[from + j] as number;
    });
    if (field.shared) known.set(field.ids, rows);
    return rows;
  };

  return {
    gather: (fields, joined, wide) => {
      const parts = fields.map((field) => ({ table: rowsOf(field), codes: field.codes }));
      const rows = fields[0]?.codes.length ?? 0;
      for (let from = 0; from < rows; from += blockRows) {
        const to = Math.min(from + blockRows, rows);
        parts.forEach(({ table, codes }, f) => {
          const column = numeric + f * dimension;
          copyRows(
            table,
            codes,
            from,
            to,
            dimension,
            joined,
            column,
            stride,
            wide,
            f,
            parts.length,
          );
        });
      }
    },
    ids: () => index.ids(),
  };
}

/** Row `codes[i]` of the table goes to row i: its first value to a column of `wide`, the others to `joined`. */
function copyRows(
  table: Float32Array,
  codes: Int32Array,
  from: number,
  to: number,
  dimension: number,
  joined: Float32Array,
  joinedColumn: number,
  joinedStride: number,
  wide: Float32Array,
  wideColumn: number,
  wideStride: number,
): void {
  for (let i = from; i < to; i++) {
    const first = (codes[i] as number) * (1 + dimension);
    wide[i * wideStride + wideColumn] = table[first] as number;
    const start = i * joinedStride + joinedColumn;
    const end = start + dimension;
    for (let j = start, k = first + 1; j < end; j++, k++) joined[j] = table[k] as number;
  }
}
