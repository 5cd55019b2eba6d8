import {
  checkLength,
  int8RowBytes,
  packBfloat16,
  packInt8,
  unpackBfloat16,
  unpackInt8,
} from "@heddle/kernels";
import { RowFormat } from "@heddle/proto/parameter-server";
import { bytesOf, float32Of, uint16Of } from "@heddle/tensor";
import type { RunDeclaration } from "../wire.ts";
import type { Memory } from "./loan.ts";

type Table = Pick<RunDeclaration["tables"][number], "wire" | "dimension">;

/** As calls name it. */
export function formatOf({ wire, dimension }: Table): RowFormat {
  if (wire === "bfloat16") return RowFormat.BFLOAT16;
  // A scale and a byte are more than one float32.
  return wire === "int8" && dimension > 1 ? RowFormat.INT8 : RowFormat.UNSPECIFIED;
}

/**
 * A table's gradients as they travel, in their own memory. In a byte each they are drawn between two steps of their row: to the nearest, a
 * small one beside a large one would be nothing, at every step again.
 */
export function toWire(table: Table, gradients: Float32Array): Uint8Array {
  const format = formatOf(table);
  if (format === RowFormat.INT8) return packInt8(gradients, table.dimension, "drawn");
  return bytesOf(format === RowFormat.BFLOAT16 ? packBfloat16(gradients) : gradients);
}

/**
 * A table's rows as they came, where that is float32, else in memory of the caller's.
 *
 * @throws {HeddleError} INVALID_ARGUMENT WRONG_SIZE when they are no whole number of values, or of rows.
 */
export function fromWire(table: Table, bytes: Uint8Array, memory: Memory): Float32Array {
  const format = formatOf(table);
  if (format === RowFormat.UNSPECIFIED) return float32Of(bytes);
  if (format === RowFormat.INT8) {
    const count = Math.floor(bytes.length / int8RowBytes(table.dimension));
    checkLength(bytes.length, count * int8RowBytes(table.dimension), "an answer in int8");
    const rows = memory(count * table.dimension);
    unpackInt8(bytes, table.dimension, rows);
    return rows;
  }
  const halves = uint16Of(bytes);
  const rows = memory(halves.length);
  unpackBfloat16(halves, rows);
  return rows;
}

/** Bytes that tables' rows, or gradients, would have taken beside in float32. */
export const sparedBytes = (tables: readonly Table[], sent: readonly Uint8Array[]): number =>
  sent.reduce((sum, { byteLength }, t) => sum + sparedOf(tables[t], byteLength), 0);

function sparedOf(table: Table | undefined, bytes: number): number {
  if (table === undefined) return 0;
  const format = formatOf(table);
  if (format === RowFormat.BFLOAT16) return bytes;
  const { dimension } = table;
  if (format === RowFormat.INT8) return (bytes / int8RowBytes(dimension)) * 4 * dimension - bytes;
  return 0;
}
