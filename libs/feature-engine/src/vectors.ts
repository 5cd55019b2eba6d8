import type { DuckDBVector } from "@duckdb/node-api";

export type NumberItems =
  Float64Array | Float32Array | Int32Array | Int16Array | Uint8Array | BigInt64Array;

/** A numeric vector's own memory: valid until the next chunk, so copy what outlives it. */
export function readNumbers(vector: DuckDBVector): NumberItems {
  const { items } = vector as unknown as { readonly items: NumberItems };
  return items;
}

/** A vector of booleans, one byte each, 1 or 0. */
export function readBits(vector: DuckDBVector): Uint8Array {
  const { dataView } = vector as unknown as { readonly dataView: DataView };
  return new Uint8Array(dataView.buffer, dataView.byteOffset, dataView.byteLength);
}

/** The bytes of typed values, as they lie in memory (little-endian on every platform Heddle supports). */
export function bytesOf(items: ArrayBufferView): Uint8Array {
  return new Uint8Array(items.buffer, items.byteOffset, items.byteLength);
}
