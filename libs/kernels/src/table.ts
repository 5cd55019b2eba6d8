import { HeddleError } from "@heddle/base";
import { gatherRows } from "./batch.ts";
import { drawRow } from "./draw.ts";
import { createIndex } from "./id-index.ts";
import { halvesOf } from "./ids.ts";
import { checkGradients, checkLength, initialSlot, slotsPerValue, updateOf } from "./optimizer.ts";
import type { ParameterTable, TableRows, TableSpec } from "./port.ts";

/**
 * The table in plain TypeScript. An open-addressing index maps an id to the number of its row; values and
 * slots lie in row order in two growing arrays, so that growth of the index moves no value.
 */
export function createTable(spec: TableSpec): ParameterTable {
  const { dimension, optimizer } = spec;
  const slotWidth = dimension * slotsPerValue(optimizer);
  const update = updateOf(optimizer);
  let index = createIndex(0);
  let values = new Float32Array(0);
  let slots = new Float32Array(0);
  let found = new Int32Array(0);

  /** Makes room for `rows` rows; the arrays grow by half, without a copy where the allocator can extend them. */
  const reserve = (rows: number): void => {
    if (rows * dimension <= values.length) return;
    const capacity = Math.min(spec.rowsMax, Math.max(rows, Math.ceil(index.rows * 1.5), 64));
    values = new Float32Array(values.buffer.transfer(capacity * dimension * 4));
    slots = new Float32Array(slots.buffer.transfer(capacity * slotWidth * 4));
  };

  const refuseBeyond = (rows: number): void => {
    if (rows <= spec.rowsMax) return;
    throw new HeddleError(
      "RESOURCE_EXHAUSTED",
      "TABLE_FULL",
      `a table of at most ${spec.rowsMax} rows would hold ${rows}; nothing was applied: raise rowsMax or hash its inputs into fewer ids`,
      { metadata: { rowsMax: String(spec.rowsMax) } },
    );
  };

  /** The row of an id, made anew when there is none. */
  const rowFor = (low: number, high: number): number => {
    const before = index.rows;
    const row = index.findOrAdd(low, high);
    if (row < before) return row;
    drawRow(spec, low, high, values, row * dimension);
    slots.fill(initialSlot(optimizer), row * slotWidth, (row + 1) * slotWidth);
    return row;
  };

  return {
    spec,
    get rows() {
      return index.rows;
    },
    get bytes() {
      return index.bytes + values.byteLength + slots.byteLength + found.byteLength;
    },
    pull: (ids, out) => {
      checkLength(out.length, ids.length * dimension, "the output of a pull");
      const halves = halvesOf(ids);
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
      const missing = index.findAll(ids, found);
      refuseBeyond(index.rows + missing);
      reserve(index.rows + missing);
      const halves = halvesOf(ids);
      for (let i = 0; i < ids.length; i++) {
        let row = found[i] as number;
        if (row < 0) row = rowFor(halves[2 * i] as number, halves[2 * i + 1] as number);
        update(values, slots, row * dimension, gradients, i * dimension, dimension);
      }
    },
    snapshot: () => {
      const ids = index.ids().sort();
      const rows = new Int32Array(ids.length);
      index.findAll(ids, rows);
      return {
        ids,
        values: gathered(values, rows, dimension),
        slots: gathered(slots, rows, slotWidth),
      };
    },
    restore: (saved) => {
      checkRows(saved, dimension, slotWidth);
      refuseBeyond(saved.ids.length);
      index = createIndex(saved.ids.length);
      const halves = halvesOf(saved.ids);
      for (let i = 0; i < saved.ids.length; i++) {
        index.findOrAdd(halves[2 * i] as number, halves[2 * i + 1] as number);
      }
      values = Float32Array.from(saved.values);
      slots = Float32Array.from(saved.slots);
    },
  };
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
