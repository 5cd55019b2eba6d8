import { assert, HeddleError, slicesInTurns } from "@heddle/base";
import { crc32 } from "node:zlib";
import { bytesOf } from "./views.ts";

/** Values with their shape, row-major. */
export type Tensor =
  | { readonly dtype: "float32"; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: "int32"; readonly shape: readonly number[]; readonly data: Int32Array }
  | { readonly dtype: "uint64"; readonly shape: readonly number[]; readonly data: BigUint64Array }
  | { readonly dtype: "uint8"; readonly shape: readonly number[]; readonly data: Uint8Array };

export type Tensors = Readonly<Record<string, Tensor>>;

/** One tensor as the header of a file describes it; `offset` counts from the end of the header. */
interface Entry {
  readonly name: string;
  readonly dtype: Tensor["dtype"];
  readonly shape: readonly number[];
  readonly offset: number;
}

const magic = Uint8Array.from("HEDDLET1", (letter) => letter.charCodeAt(0));
const prefixBytes = 16;
/** Tensors start at multiples of this, so that any typed array, and SIMD, can lie over them. */
const alignment = 64;
/** Summed in a quarter of a millisecond. */
const sliceBytes = 1 << 20;

/**
 * Writes named tensors as one file: `HEDDLET1`, CRC-32 of all that follows, length of the header, the header (JSON, names in
 * ascending order), then the values, little-endian, each tensor at a multiple of 64 bytes. Equal tensors give
 * equal bytes, whatever the order of their names in `tensors`.
 */
export function encodeTensors(tensors: Tensors): Uint8Array {
  const names = Object.keys(tensors).sort();
  const entries: Entry[] = [];
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const name of names) {
    const tensor = tensors[name] as Tensor;
    assert(tensor.data.length === sizeOf(tensor.shape), `tensor ${name} does not have its shape`);
    const offset = aligned(end);
    entries.push({ name, dtype: tensor.dtype, shape: tensor.shape, offset });
    parts.push(bytesOf(tensor.data));
    end = offset + tensor.data.byteLength;
  }
  const header = new TextEncoder().encode(JSON.stringify(entries));
  const start = aligned(prefixBytes + header.length);
  const file = new Uint8Array(start + end);
  file.set(magic);
  const view = new DataView(file.buffer);
  view.setUint32(12, header.length, true);
  file.set(header, prefixBytes);
  entries.forEach((entry, i) => file.set(parts[i] as Uint8Array, start + entry.offset));
  view.setUint32(8, crc32(file.subarray(12)), true);
  return file;
}

/**
 * Reads what `encodeTensors` wrote, while others on this thread go on. The tensors are views of `bytes` (of a copy when those are not
 * aligned).
 *
 * @throws {HeddleError} DATA_LOSS TENSOR_FILE_CORRUPT when anything differs from what was written: truncated,
 * extended, or a bit flipped.
 */
export async function decodeTensors(bytes: Uint8Array): Promise<Tensors> {
  const file = bytes.byteOffset % 8 === 0 ? bytes : Uint8Array.from(bytes);
  if (file.length < prefixBytes || magic.some((byte, i) => file[i] !== byte)) {
    throw corrupt("it does not start as one");
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(8, true) !== (await checksumOf(file.subarray(12))))
    throw corrupt("its checksum differs");
  const headerBytes = view.getUint32(12, true);
  const start = aligned(prefixBytes + headerBytes);
  const entries = readHeader(file.subarray(prefixBytes, prefixBytes + headerBytes));
  return Object.fromEntries(
    entries.map((entry) => [entry.name, readTensor(file, start + entry.offset, entry)]),
  );
}

async function checksumOf(bytes: Uint8Array): Promise<number> {
  let sum = 0;
  for await (const slice of slicesInTurns(bytes, sliceBytes)) sum = crc32(slice, sum);
  return sum;
}

/**
 * The tensor of that name, which must be there with that dtype.
 *
 * @throws {HeddleError} DATA_LOSS TENSOR_FILE_CORRUPT.
 */
export function tensorOf<D extends Tensor["dtype"]>(
  tensors: Tensors,
  name: string,
  dtype: D,
): Extract<Tensor, { dtype: D }> {
  const tensor = tensors[name];
  if (tensor === undefined) throw corrupt(`it holds no tensor ${name}`);
  if (!isDtype(tensor, dtype)) throw corrupt(`${name} is ${tensor.dtype}, not ${dtype}`);
  return tensor;
}

function isDtype<D extends Tensor["dtype"]>(
  tensor: Tensor,
  dtype: D,
): tensor is Extract<Tensor, { dtype: D }> {
  return tensor.dtype === dtype;
}

function readHeader(bytes: Uint8Array): readonly Entry[] {
  try {
    const entries: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (Array.isArray(entries) && entries.every(isEntry)) return entries;
  } catch (error) {
    throw corrupt("its header cannot be read", error);
  }
  throw corrupt("its header is malformed");
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== "object" || value === null) return false;
  const { name, dtype, shape, offset } = value as Record<keyof Entry, unknown>;
  return (
    typeof name === "string" &&
    typeof dtype === "string" &&
    Object.hasOwn(elementBytes, dtype) &&
    Array.isArray(shape) &&
    shape.every(isCount) &&
    isCount(offset) &&
    offset % alignment === 0
  );
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

const elementBytes = { float32: 4, int32: 4, uint64: 8, uint8: 1 } as const;

function readTensor(file: Uint8Array, at: number, { name, dtype, shape }: Entry): Tensor {
  const size = sizeOf(shape);
  if (at + size * elementBytes[dtype] > file.length) throw corrupt(`${name} ends beyond its end`);
  const where = [file.buffer, file.byteOffset + at, size] as const;
  switch (dtype) {
    case "float32":
      return { dtype, shape, data: new Float32Array(...where) };
    case "int32":
      return { dtype, shape, data: new Int32Array(...where) };
    case "uint64":
      return { dtype, shape, data: new BigUint64Array(...where) };
    case "uint8":
      return { dtype, shape, data: new Uint8Array(...where) };
  }
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

function aligned(offset: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

function corrupt(why: string, cause?: unknown): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "TENSOR_FILE_CORRUPT",
    `a tensor file is corrupt: ${why}; restore it from a good copy or rebuild it from its recipe`,
    cause === undefined ? {} : { cause },
  );
}
