/** Rounds values in their place to bfloat16, the nearest, ties to even: what a table of that storage keeps of them. */
export function roundToBfloat16(values: Float32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  bits.forEach((value, i) => {
    bits[i] = (value + 0x7fff + ((value >>> 16) & 1)) & 0xffff0000;
  });
}

/**
 * Rounds values to bfloat16 and packs them into the first half of their own memory.
 *
 * @returns shape [values]: the upper halves of the float32, the nearest, ties to even; what is beyond the largest becomes infinite,
 *   and a NaN stays one.
 */
export function packBfloat16(values: Float32Array): Uint16Array {
  const { buffer, byteOffset, length } = values;
  const bits = new Uint32Array(buffer, byteOffset, length);
  const halves = new Uint16Array(buffer, byteOffset, length);
  for (let i = 0; i < length; i++) {
    const value = bits[i] as number;
    const isNaN = (value & 0x7fffffff) > 0x7f800000;
    halves[i] = isNaN ? (value >>> 16) | 0x40 : (value + 0x7fff + ((value >>> 16) & 1)) >>> 16;
  }
  return halves;
}

/** out[i] = the float32 whose upper half is halves[i]; both shape [values]. */
export function unpackBfloat16(halves: Uint16Array, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] as number) << 16;
}
