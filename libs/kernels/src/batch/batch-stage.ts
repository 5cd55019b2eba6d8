import { type Memory, openInstance, reachBytes } from "../wasm.ts";

/** The functions of `assembly/batch.ts`. */
interface Kernel {
  readonly memory: Memory;
  gather(rows: number, bytes: number, index: number, count: number, out: number): void;
  add(rows: number, bytes: number, index: number, count: number, sums: number): void;
  packInt8(rows: number, values: number, count: number, out: number, drawn: boolean): void;
  unpackInt8(packed: number, values: number, count: number, out: number): void;
}

/** What goes row by row is staged in pieces of 64 KiB, which stay in the cache; what is read or written at random, whole. */
const pieceValuesMax = 16_384;

/** Opened by the first call of a thread; it holds nothing that matters between two calls. */
let opened: Kernel | undefined;

export interface Stage {
  readonly kernel: Kernel;
  /** shape [as many rows as `places`, dimension]. */
  readonly piece: Float32Array;
  readonly places: Int32Array;
  readonly whole: Float32Array;
  /** Their addresses. */
  readonly at: { readonly piece: number; readonly places: number; readonly whole: number };
}

/** Rows that a piece has room for. */
export const pieceRows = (dimension: number): number =>
  Math.max(1, Math.floor(pieceValuesMax / dimension));

/** @param wholeValues float32 values that are read or written at random. */
export function stage(wholeValues: number, dimension: number): Stage {
  const kernel = (opened ??= openInstance<Kernel>("batch"));
  const rows = pieceRows(dimension);
  const at = { piece: 0, places: rows * dimension * 4, whole: rows * dimension * 4 + rows * 4 };
  reachBytes(kernel.memory, at.whole + wholeValues * 4);
  const { buffer } = kernel.memory;
  return {
    kernel,
    at,
    piece: new Float32Array(buffer, at.piece, rows * dimension),
    places: new Int32Array(buffer, at.places, rows),
    whole: new Float32Array(buffer, at.whole, wholeValues),
  };
}
