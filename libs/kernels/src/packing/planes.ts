import { assert } from "@heddle/base";
import { type Memory, openInstance, reachBytes } from "../wasm.ts";

/** The functions of `assembly/planes.ts`. */
interface Kernel {
  readonly memory: Memory;
  joinWords(planes: number, count: number, out: number): void;
  splitWords(words: number, count: number, out: number): void;
  joinIds(planes: number, count: number, out: number): number;
  splitIds(ids: number, count: number, out: number): void;
}

/** Opened by the first call of a thread; it holds nothing that matters between two calls. */
let opened: Kernel | undefined;

/**
 * Bytes of 4-byte values in planes: all first bytes first, then all second ones, and so on. Signs and exponents of neighbours
 * resemble each other, their mantissas do not, so what can be compressed lies together.
 *
 * @param out shape [4 × values].
 */
export function splitWords(words: Float32Array | Uint32Array, out: Uint8Array): void {
  through(bytesOf(words), out, 4, (kernel, count, to) => kernel.splitWords(0, count, to));
}

/** The way back of `splitWords`. */
export function joinWords(planes: Uint8Array, out: Float32Array | Uint32Array): void {
  through(planes, bytesOf(out), 4, (kernel, count, to) => kernel.joinWords(0, count, to));
}

/**
 * Distances of ids from the one before (of the first one from 0, modulo 2⁶⁴), in planes: of ascending ids the upper bytes are mostly
 * zero then.
 *
 * @param out shape [8 × ids].
 */
export function splitIds(ids: BigUint64Array, out: Uint8Array): void {
  through(bytesOf(ids), out, 8, (kernel, count, to) => kernel.splitIds(0, count, to));
}

/** The way back of `splitIds`. @returns whether the ids ascend without repetition. */
export function joinIds(planes: Uint8Array, out: BigUint64Array): boolean {
  const join = (kernel: Kernel, count: number, to: number) => kernel.joinIds(0, count, to);
  return through(planes, bytesOf(out), 8, join) === 1;
}

/** Both sides lie in the kernel's memory whole, which keeps the size of the largest so far. */
function through<T>(
  from: Uint8Array,
  out: Uint8Array,
  width: number,
  work: (kernel: Kernel, count: number, to: number) => T,
): T {
  const bytes = from.length;
  assert(bytes % width === 0 && out.length === bytes, "planes hold whole values, all of them");
  const kernel = (opened ??= openInstance<Kernel>("planes"));
  const to = Math.ceil(bytes / 64) * 64;
  reachBytes(kernel.memory, to + bytes);
  const memory = new Uint8Array(kernel.memory.buffer);
  memory.set(from);
  const result = work(kernel, bytes / width, to);
  out.set(memory.subarray(to, to + bytes));
  return result;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
