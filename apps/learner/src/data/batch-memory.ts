/** Where a batch's arrays lie. They come as they are: each value is written. */
export interface BatchMemory {
  /** shape [length]. */
  float32(length: number): Float32Array;
  /** shape [length]. */
  int32(length: number): Int32Array;
  /** shape [length]. */
  bigUint64(length: number): BigUint64Array;
}

/** Arrays of their own, which belong to whoever asked. */
export const ownMemory: BatchMemory = {
  float32: (length) => new Float32Array(length),
  int32: (length) => new Int32Array(length),
  bigUint64: (length) => new BigUint64Array(length),
};
