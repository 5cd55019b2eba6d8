import { HeddleError } from "@heddle/base";
import { int8RowBytes, packBfloat16, packInt8, unpackBfloat16, unpackInt8 } from "@heddle/kernels";
import { RowFormat } from "@heddle/proto/parameter-server";
import { bytesOf, float32Of, uint16Of } from "@heddle/tensor";
import type { Room } from "../shard.ts";

/**
 * Rows as they travel, in their own memory. In a byte a value they are rounded to the nearest: the shard has them as they are, so what is
 * rounded away now is not lost.
 *
 * @param rows shape [count, dimension].
 * @throws {HeddleError} INVALID_ARGUMENT UNKNOWN_ROW_FORMAT; WRONG_SIZE for rows of 1 value in int8.
 */
export function encodeRows(rows: Float32Array, count: number, format: RowFormat): Uint8Array {
  switch (format) {
    case RowFormat.UNSPECIFIED:
      return bytesOf(rows);
    case RowFormat.BFLOAT16:
      return bytesOf(packBfloat16(rows));
    case RowFormat.INT8:
      return count === 0
        ? new Uint8Array()
        : packInt8(rows, widthOf(rows.length / count), "nearest");
    default:
      throw unknownFormat(format);
  }
}

/**
 * Rows as they came, where that is float32, else in memory of their own.
 *
 * @param count how many they must be.
 * @param room where to; new memory when absent.
 * @throws {HeddleError} INVALID_ARGUMENT UNKNOWN_ROW_FORMAT, WRONG_SIZE.
 */
export function decodeRows(
  bytes: Uint8Array,
  count: number,
  format: RowFormat,
  room: Room | undefined,
): Float32Array {
  const memory = (values: number): Float32Array =>
    room ? float32Of(room(4 * values)) : new Float32Array(values);
  switch (format) {
    case RowFormat.UNSPECIFIED:
      return float32Of(bytes);
    case RowFormat.BFLOAT16: {
      const halves = uint16Of(bytes);
      const rows = memory(halves.length);
      unpackBfloat16(halves, rows);
      return rows;
    }
    case RowFormat.INT8: {
      if (count === 0 && bytes.length === 0) return new Float32Array();
      const dimension = widthOf(bytes.length / count - int8RowBytes(0));
      const rows = memory(count * dimension);
      unpackInt8(bytes, dimension, rows);
      return rows;
    }
    default:
      throw unknownFormat(format);
  }
}

/** A number of values that a row in int8 may have. */
function widthOf(dimension: number): number {
  if (Number.isSafeInteger(dimension) && dimension >= 2) return dimension;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "WRONG_SIZE",
    `rows of ${dimension} values were to travel in int8: a row has a scale of 4 bytes and 2 values or more; send one value as float32`,
  );
}

function unknownFormat(format: RowFormat): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "UNKNOWN_ROW_FORMAT",
    `this shard does not know row format ${String(format)}: learners and shards of a run must be of one release`,
  );
}
