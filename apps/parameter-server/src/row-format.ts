import { HeddleError } from "@heddle/base";
import { packBfloat16, unpackBfloat16 } from "@heddle/kernels";
import { RowFormat } from "@heddle/proto/parameter-server";
import { bytesOf, float32Of, uint16Of } from "@heddle/tensor";
import type { Room } from "./shard.ts";

/**
 * Rows as they travel, in their own memory.
 *
 * @throws {HeddleError} INVALID_ARGUMENT UNKNOWN_ROW_FORMAT.
 */
export function encodeRows(rows: Float32Array, format: RowFormat): Uint8Array {
  return bytesOf(isHalved(format) ? packBfloat16(rows) : rows);
}

/**
 * Rows as they came, where that is float32, else in memory of their own.
 *
 * @param room where to; new memory when absent.
 * @throws {HeddleError} INVALID_ARGUMENT UNKNOWN_ROW_FORMAT, WRONG_SIZE.
 */
export function decodeRows(
  bytes: Uint8Array,
  format: RowFormat,
  room: Room | undefined,
): Float32Array {
  if (!isHalved(format)) return float32Of(bytes);
  const halves = uint16Of(bytes);
  const rows = room ? float32Of(room(4 * halves.length)) : new Float32Array(halves.length);
  unpackBfloat16(halves, rows);
  return rows;
}

function isHalved(format: RowFormat): boolean {
  if (format === RowFormat.UNSPECIFIED) return false;
  if (format === RowFormat.BFLOAT16) return true;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "UNKNOWN_ROW_FORMAT",
    `this shard does not know row format ${String(format)}: learners and shards of a run must be of one release`,
  );
}
