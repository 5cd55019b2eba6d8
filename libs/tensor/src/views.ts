import { HeddleError } from "@heddle/base";

/**
 * Bytes of a message read as float32, little-endian: a view where they are aligned, else a copy.
 * A view keeps the whole message in memory; copy what outlives the call.
 *
 * @returns shape [bytes / 4].
 * @throws {HeddleError} INVALID_ARGUMENT WRONG_SIZE when the length is no multiple of 4.
 */
export function float32Of(bytes: Uint8Array): Float32Array {
  const whole = wholeElements(bytes, 4, "float32");
  return new Float32Array(whole.buffer, whole.byteOffset, whole.byteLength / 4);
}

/**
 * Bytes of a message read as unsigned 16-bit integers, little-endian: a view where they are aligned, else a copy.
 *
 * @returns shape [bytes / 2].
 * @throws {HeddleError} INVALID_ARGUMENT WRONG_SIZE when the length is no multiple of 2.
 */
export function uint16Of(bytes: Uint8Array): Uint16Array {
  const whole = wholeElements(bytes, 2, "uint16");
  return new Uint16Array(whole.buffer, whole.byteOffset, whole.byteLength / 2);
}

/**
 * Bytes of a message read as unsigned 64-bit integers, little-endian: a view where they are
 * aligned, else a copy.
 *
 * @returns shape [bytes / 8].
 * @throws {HeddleError} INVALID_ARGUMENT WRONG_SIZE when the length is no multiple of 8.
 */
export function bigUint64Of(bytes: Uint8Array): BigUint64Array {
  const whole = wholeElements(bytes, 8, "uint64");
  return new BigUint64Array(whole.buffer, whole.byteOffset, whole.byteLength / 8);
}

/** The bytes of a typed array, as a view: they change when the array does. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/**
 * True when no value is NaN or infinite: only these have an exponent of ones alone, which one more carries into the sign. Bits and no
 * branch for each value, because batches have millions.
 */
export function allFinite(array: Float32Array | Float64Array): boolean {
  const [exponent, one, words] =
    array instanceof Float32Array ? [0x7f800000, 0x00800000, 1] : [0x7ff00000, 0x00100000, 2];
  const bits = new Int32Array(array.buffer, array.byteOffset, array.length * words);
  let signs = 0;
  // The upper half of a float64 is its last.
  for (let i = words - 1; i < bits.length; i += words) {
    signs |= ((bits[i] as number) & exponent) + one;
  }
  return signs >= 0;
}

/** The same bytes, moved when a typed array of that element size could not lie over them. */
function wholeElements(bytes: Uint8Array, size: number, dtype: string): Uint8Array {
  if (bytes.byteLength % size !== 0) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "WRONG_SIZE",
      `${bytes.byteLength} bytes are no whole number of ${dtype} values of ${size} bytes: send whole values`,
    );
  }
  return bytes.byteOffset % size === 0 ? bytes : Uint8Array.from(bytes);
}
