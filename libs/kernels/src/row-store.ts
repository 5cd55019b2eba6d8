import { drawRow } from "./draw.ts";
import { initialSlot, slotsPerValue } from "./optimizer.ts";
import type { TableSpec } from "./port.ts";

/** Values and optimiser slots of a table's rows, in the order in which rows came. */
export interface RowStore {
  /** shape [capacity, dimension]; another array after `reserve` or `replace`. */
  readonly values: Float32Array;
  /** shape [capacity, slot width]; likewise. */
  readonly slots: Float32Array;
  /** Slots of a row. */
  readonly slotWidth: number;
  /** Memory held, in bytes. */
  readonly bytes: number;
  /** Makes room for `rows` rows in all. */
  reserve(rows: number): void;
  /** Gives a row its initial draw and slots. */
  start(row: number, low: number, high: number): void;
  replace(values: Float32Array, slots: Float32Array): void;
}

export function createRowStore(spec: TableSpec): RowStore {
  const { dimension, optimizer, rowsMax } = spec;
  const slotWidth = dimension * slotsPerValue(optimizer);
  const firstSlot = initialSlot(optimizer);
  let values = new Float32Array(0);
  let slots = new Float32Array(0);
  return {
    get values() {
      return values;
    },
    get slots() {
      return slots;
    },
    slotWidth,
    get bytes() {
      return values.byteLength + slots.byteLength;
    },
    reserve: (rows) => {
      const held = values.length / dimension;
      if (rows <= held) return;
      // Growing by half keeps copies few; a transfer copies nothing where the allocator can extend the memory.
      const capacity = Math.min(rowsMax, Math.max(rows, Math.ceil(held * 1.5), 64));
      values = new Float32Array(values.buffer.transfer(capacity * dimension * 4));
      slots = new Float32Array(slots.buffer.transfer(capacity * slotWidth * 4));
    },
    start: (row, low, high) => {
      drawRow(spec, low, high, values, row * dimension);
      slots.fill(firstSlot, row * slotWidth, (row + 1) * slotWidth);
    },
    replace: (newValues, newSlots) => {
      values = Float32Array.from(newValues);
      slots = Float32Array.from(newSlots);
    },
  };
}
