import { HeddleError } from "@heddle/base";
import { gatherRows } from "./batch.ts";
import { drawRow } from "./draw.ts";
import { createIndex } from "./id-index.ts";
import { halvesOf } from "./ids.ts";
import { checkGradients, checkLength, updateOf } from "./optimizer.ts";
import type { ParameterTable, TableRows, TableSpec } from "./port.ts";
import { createRowStore } from "./row-store.ts";

/**
 * The table in plain TypeScript. An open-addressing index maps an id to the number of its row; values and
 * slots lie in row order in two growing arrays, so that growth of the index moves no value.
 */
export function createTable(spec: TableSpec): ParameterTable {
  const { dimension } = spec;
  const update = updateOf(spec.optimizer);
  const store = createRowStore(spec);
  let index = createIndex(0);
  let found = new Int32Array(0);

  /** The row of an id, made anew when there is none. */
  const rowFor = (low: number, high: number): number => {
    const before = index.rows;
    const row = index.findOrAdd(low, high);
    if (row === before) store.start(row, low, high);
    return row;
  };

  return {
    spec,
    get rows() {
      return index.rows;
    },
    get bytes() {
      return index.bytes + store.bytes + found.byteLength;
    },
    pull: (ids, out) => {
      checkLength(out.length, ids.length * dimension, "the output of a pull");
      const halves = halvesOf(ids);
      const { values } = store;
      for (let i = 0; i < ids.length; i++) {
        const low = halves[2 * i] as number;
        const high = halves[2 * i + 1] as number;
        const row = index.find(low, high);
        if (row < 0) drawRow(spec, low, high, out, i * dimension);
        else copyRow(values, row * dimension, out, i * dimension, dimension);
      }
    },
    push: (ids, gradients) => {
      checkLength(gradients.length, ids.length * dimension, "the gradients of a push");
      checkGradients(gradients, "a table");
      if (found.length < ids.length) found = new Int32Array(ids.length);
      const rows = index.rows + index.findAll(ids, found);
      refuseBeyond(rows, spec.rowsMax);
      store.reserve(rows);
      const halves = halvesOf(ids);
      const { values, slots } = store;
      for (let i = 0; i < ids.length; i++) {
        let row = found[i] as number;
        if (row < 0) row = rowFor(halves[2 * i] as number, halves[2 * i + 1] as number);
        update(values, slots, row * dimension, gradients, i * dimension, dimension);
      }
    },
    snapshot: () => {
      const ids = index.ids().sort();
      const order = new Int32Array(ids.length);
      index.findAll(ids, order);
      return {
        ids,
        values: gathered(store.values, order, dimension),
        slots: gathered(store.slots, order, store.slotWidth),
      };
    },
    restore: (saved) => {
      checkRows(saved, dimension, store.slotWidth);
      refuseBeyond(saved.ids.length, spec.rowsMax);
      index = createIndex(saved.ids.length);
      const halves = halvesOf(saved.ids);
      for (let at = 0; at < halves.length; at += 2) {
        index.findOrAdd(halves[at] as number, halves[at + 1] as number);
      }
      store.replace(saved.values, saved.slots);
    },
  };
}

function refuseBeyond(rows: number, rowsMax: number): void {
  if (rows <= rowsMax) return;
  throw new HeddleError(
    "RESOURCE_EXHAUSTED",
    "TABLE_FULL",
    `a table of at most ${rowsMax} rows would hold ${rows}; nothing was applied: raise rowsMax or hash its inputs into fewer ids`,
    { metadata: { rowsMax: String(rowsMax) } },
  );
}

function copyRow(
  from: Float32Array,
  at: number,
  to: Float32Array,
  toAt: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) to[toAt + i] = from[at + i] as number;
}

/** A table's saved form must be its own: sizes right, ids ascending without repetition. */
function checkRows(saved: TableRows, dimension: number, slotWidth: number): void {
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

function gathered(rows: Float32Array, order: Int32Array, dimension: number): Float32Array {
  const out = new Float32Array(order.length * dimension);
  gatherRows(rows, dimension, order, out);
  return out;
}
