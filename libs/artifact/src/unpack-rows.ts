import { joinIds, joinWords } from "@heddle/kernels";
import type { TableHeader } from "./block-file.ts";
import type { TableState } from "./parameter-file.ts";

/**
 * Unpacks the rows of blocks, one after the other, to the same memory: fresh memory for each block would cost more than filling it.
 *
 * @returns undefined when the body is no such rows, or their ids do not ascend; else rows that stand until the next call.
 */
export function openUnpacking() {
  let memory = new ArrayBuffer();
  return (body: Uint8Array, rows: number, table: TableHeader): TableState | undefined => {
    const { dimension, slotWidth, versions = false } = table;
    const valuesAt = rows * 8;
    const slotsAt = valuesAt + rows * dimension * 4;
    const versionsAt = slotsAt + rows * slotWidth * 4;
    if (body.length !== versionsAt + (versions ? rows * 4 : 0)) return undefined;
    if (memory.byteLength < body.length) memory = new ArrayBuffer(body.length);
    const out = {
      ids: new BigUint64Array(memory, 0, rows),
      values: new Float32Array(memory, valuesAt, rows * dimension),
      slots: new Float32Array(memory, slotsAt, rows * slotWidth),
      dimension,
      ...(versions && { versions: new Uint32Array(memory, versionsAt, rows) }),
    };
    joinWords(body.subarray(valuesAt, slotsAt), out.values);
    joinWords(body.subarray(slotsAt, versionsAt), out.slots);
    if (out.versions) joinWords(body.subarray(versionsAt), out.versions);
    return joinIds(body.subarray(0, valuesAt), out.ids) ? out : undefined;
  };
}
