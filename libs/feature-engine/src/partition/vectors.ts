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

/** DuckDB keeps a text of at most so many bytes inside its vector, padded with zeros. */
const inlineBytes = 12;

/**
 * A vector of texts as bytes: for each its length (uint32) and its UTF-8, padded with zeros to 12
 * bytes. Short texts lie so in the vector itself, and making strings of them would cost ten times more.
 */
export function readTexts(vector: DuckDBVector, rows: number): Uint8Array {
  const { dataView } = vector as unknown as { readonly dataView: DataView };
  const stride = 4 + inlineBytes;
  let short = true;
  for (let i = 0; i < rows && short; i++) {
    short = dataView.getUint32(i * stride, true) <= inlineBytes;
  }
  if (short) return new Uint8Array(dataView.buffer, dataView.byteOffset, rows * stride);
  const parts: Buffer[] = [];
  for (let i = 0; i < rows; i++) {
    const bytes = Buffer.from(vector.getItem(i) as string);
    const part = Buffer.alloc(4 + Math.max(bytes.length, inlineBytes));
    part.writeUInt32LE(bytes.length, 0);
    bytes.copy(part, 4);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The bytes of typed values, as they lie in memory (little-endian on every platform Heddle supports). */
export function bytesOf(items: ArrayBufferView): Uint8Array {
  return new Uint8Array(items.buffer, items.byteOffset, items.byteLength);
}
