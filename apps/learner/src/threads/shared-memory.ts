/** Memory that two threads see. It is given out from its start until it is taken back as a whole, and used again. */
export interface SharedMemory {
  /** shape [length]; holds until `reset`. */
  float32(length: number): Float32Array<SharedArrayBuffer>;
  int32(length: number): Int32Array<SharedArrayBuffer>;
  bigUint64(length: number): BigUint64Array<SharedArrayBuffer>;
  /** Takes back all that was given. */
  reset(): void;
  /** What it lies in now: for another use, once this one is over. */
  readonly buffer: SharedArrayBuffer;
}

/**
 * Opens memory that grows to the largest use of it and stays there.
 *
 * @param memory of an earlier use; none when absent.
 */
export function openSharedMemory(memory = new SharedArrayBuffer(0)): SharedMemory {
  let used = 0;
  let wanted = 0;
  const take = (bytes: number): number => {
    const start = used;
    const aligned = Math.ceil(bytes / 8) * 8;
    used += aligned;
    wanted += aligned;
    if (used <= memory.byteLength) return start;
    // What was given stays in the memory before, as long as somebody holds it.
    memory = new SharedArrayBuffer(Math.max(wanted, 2 * memory.byteLength));
    used = aligned;
    return 0;
  };
  return {
    float32: (length) => {
      const start = take(4 * length);
      return new Float32Array(memory, start, length);
    },
    int32: (length) => {
      const start = take(4 * length);
      return new Int32Array(memory, start, length);
    },
    bigUint64: (length) => {
      const start = take(8 * length);
      return new BigUint64Array(memory, start, length);
    },
    reset: () => {
      used = 0;
      wanted = 0;
    },
    get buffer() {
      return memory;
    },
  };
}
