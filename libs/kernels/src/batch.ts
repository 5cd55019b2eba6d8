import { type Memory, openInstance } from "./wasm.ts";

/** The functions of `assembly/batch.ts`. */
interface Kernel {
  readonly memory: Memory;
  gather(rows: number, bytes: number, index: number, count: number, out: number): void;
  add(rows: number, bytes: number, index: number, count: number, sums: number): void;
}

/** out[i] = rows[index[i]]; `rows` shape [n, dimension], `out` shape [index, dimension]. */
export function gatherRows(
  rows: Float32Array,
  dimension: number,
  index: Int32Array,
  out: Float32Array,
): void {
  const { kernel, whole, places, piece, at } = stage(rows.length, dimension);
  whole.set(rows);
  const each = places.length;
  for (let from = 0; from < index.length; from += each) {
    const to = Math.min(from + each, index.length);
    places.set(index.subarray(from, to));
    kernel.gather(at.whole, dimension * 4, at.places, to - from, at.piece);
    out.set(piece.subarray(0, (to - from) * dimension), from * dimension);
  }
}

/** out[index[i]] = rows[i], the way back of `gatherRows`; positions not named stay as they are. */
export function scatterRows(
  rows: Float32Array,
  dimension: number,
  index: Int32Array,
  out: Float32Array,
): void {
  let from = 0;
  for (let i = 0; i < index.length; i++) {
    const to = (index[i] as number) * dimension;
    for (let column = 0; column < dimension; column++) out[to + column] = rows[from++] as number;
  }
}

/**
 * Sums the gradients of equal ids in row order, in float32, so that the sum's bits do not depend on anything else.
 *
 * @param gradients shape [index, dimension].
 * @param out shape [uniqueCount, dimension]; out[u] becomes the sum of the rows i with index[i] = u.
 */
export function sumGradients(
  gradients: Float32Array,
  dimension: number,
  index: Int32Array,
  uniqueCount: number,
  out: Float32Array,
): void {
  const { kernel, whole, places, piece, at } = stage(uniqueCount * dimension, dimension);
  whole.fill(0);
  const each = places.length;
  for (let from = 0; from < index.length; from += each) {
    const to = Math.min(from + each, index.length);
    places.set(index.subarray(from, to));
    piece.set(gradients.subarray(from * dimension, to * dimension));
    kernel.add(at.piece, dimension * 4, at.places, to - from, at.whole);
  }
  out.set(whole);
}

/** What goes row by row is staged in pieces of 64 KiB, which stay in the cache; what is read or written at random, whole. */
const pieceValuesMax = 16_384;
const pageBytes = 65_536;

/** Opened by the first call of a thread; it holds nothing that matters between two calls. */
let opened: Kernel | undefined;

interface Stage {
  readonly kernel: Kernel;
  /** shape [as many rows as `places`, dimension]. */
  readonly piece: Float32Array;
  readonly places: Int32Array;
  readonly whole: Float32Array;
  /** Their addresses. */
  readonly at: { readonly piece: number; readonly places: number; readonly whole: number };
}

function stage(wholeValues: number, dimension: number): Stage {
  const kernel = (opened ??= openInstance<Kernel>("batch"));
  const rows = Math.max(1, Math.floor(pieceValuesMax / dimension));
  const at = { piece: 0, places: rows * dimension * 4, whole: rows * dimension * 4 + rows * 4 };
  const pages = Math.ceil((at.whole + wholeValues * 4) / pageBytes);
  const held = kernel.memory.buffer.byteLength / pageBytes;
  if (pages > held) kernel.memory.grow(pages - held);
  const { buffer } = kernel.memory;
  return {
    kernel,
    at,
    piece: new Float32Array(buffer, at.piece, rows * dimension),
    places: new Int32Array(buffer, at.places, rows),
    whole: new Float32Array(buffer, at.whole, wholeValues),
  };
}
