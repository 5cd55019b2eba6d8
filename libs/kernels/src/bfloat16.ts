/** Rounds values in their place to bfloat16, the nearest, ties to even: what a table of that storage keeps of them. */
export function roundToBfloat16(values: Float32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  bits.forEach((value, i) => {
    bits[i] = (value + 0x7fff + ((value >>> 16) & 1)) & 0xffff0000;
  });
}
