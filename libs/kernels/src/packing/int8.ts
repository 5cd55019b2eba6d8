import { assert } from "@heddle/base";
import { pieceRows, stage } from "../batch/batch-stage.ts";

/**
 * How a value between two multiples of its row's scale is rounded: to the nearest, ties to even; or drawn, to one of both by a chance
 * that makes it itself on average. The chance is a hash of the value's own bits and its column, so the same row is always packed alike.
 */
export type Int8Rounding = "nearest" | "drawn";

/** Bytes of a packed row: its scale, float32 little-endian, then a byte a value. */
export const int8RowBytes = (dimension: number): number => 4 + dimension;

/**
 * Packs rows to a byte a value, into the front of their own memory. A row's scale is its largest size in 127 parts, and each value a
 * whole number of them; so a value is off by at most half of a part, or by less than one where it is drawn. A row with a value that is not
 * finite comes out as one without a number, so that whoever checks still finds it.
 *
 * @param rows shape [n, dimension], of 2 values or more: one value would take more than it does in float32.
 * @returns shape [n × (4 + dimension)].
 */
export function packInt8(
  rows: Float32Array,
  dimension: number,
  rounding: Int8Rounding,
): Uint8Array {
  assert(dimension >= 2, "a packed row fits where the row was");
  const rowBytes = int8RowBytes(dimension);
  const count = rows.length / dimension;
  const packed = new Uint8Array(rows.buffer, rows.byteOffset, count * rowBytes);
  const { kernel, piece, whole, at } = stage(pieceRows(dimension) * dimension, dimension);
  const out = new Uint8Array(whole.buffer, whole.byteOffset, whole.byteLength);
  const each = piece.length / dimension;
  for (let from = 0; from < count; from += each) {
    const some = Math.min(each, count - from);
    piece.set(rows.subarray(from * dimension, (from + some) * dimension));
    kernel.packInt8(at.piece, dimension, some, at.whole, rounding === "drawn");
    packed.set(out.subarray(0, some * rowBytes), from * rowBytes);
  }
  return packed;
}

/**
 * The way back.
 *
 * @param packed shape [n × (4 + dimension)], as `packInt8` returns it; whatever its bytes are, something comes out.
 * @param out shape [n, dimension].
 */
export function unpackInt8(packed: Uint8Array, dimension: number, out: Float32Array): void {
  assert(dimension >= 2, "a packed row is no longer than the row");
  const rowBytes = int8RowBytes(dimension);
  const count = out.length / dimension;
  assert(packed.length === count * rowBytes, "packed rows for all that they go to");
  const { kernel, piece, whole, at } = stage(pieceRows(dimension) * dimension, dimension);
  const into = new Uint8Array(whole.buffer, whole.byteOffset, whole.byteLength);
  const each = piece.length / dimension;
  for (let from = 0; from < count; from += each) {
    const some = Math.min(each, count - from);
    into.set(packed.subarray(from * rowBytes, (from + some) * rowBytes));
    kernel.unpackInt8(at.whole, dimension, some, at.piece);
    out.set(piece.subarray(0, some * dimension), from * dimension);
  }
}
