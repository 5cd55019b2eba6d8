/** Where a program's columns lie, and what it makes of them. Arrays come as they are: each value is written before it is read. */
export interface RowMemory {
  /** shape [length]: the numeric inputs of all rows. */
  float32(length: number): Float32Array;
  /** shape [length]. */
  float64(length: number): Float64Array;
  /** shape [length]. */
  int32(length: number): Int32Array;
}

/** Arrays of their own, which belong to whoever asked. */
export const ownArrays: RowMemory = {
  float32: (length) => new Float32Array(length),
  float64: (length) => new Float64Array(length),
  int32: (length) => new Int32Array(length),
};

/** Memory that is used again. */
export interface RowArena extends RowMemory {
  /** Takes back all that was given. */
  reset(): void;
}

/**
 * Opens an arena. The columns of some thousand rows are dozens of small arrays outside of the JavaScript heap; the collector
 * runs as often as so many of them were made, and that costs more than filling them.
 */
export function openArena(): RowArena {
  let memory = new ArrayBuffer(1 << 16);
  let used = 0;
  /** Start of so many bytes, at a multiple of 8. */
  const take = (bytes: number): number => {
    if (used + bytes > memory.byteLength) {
      // What was given stays in the memory before, as long as somebody holds it.
      memory = new ArrayBuffer(Math.max(2 * memory.byteLength, bytes));
      used = 0;
    }
    const start = used;
    used += Math.ceil(bytes / 8) * 8;
    return start;
  };
  return {
    float32: (length) => {
      const start = take(4 * length);
      return new Float32Array(memory, start, length);
    },
    float64: (length) => {
      const start = take(8 * length);
      return new Float64Array(memory, start, length);
    },
    int32: (length) => {
      const start = take(4 * length);
      return new Int32Array(memory, start, length);
    },
    reset: () => (used = 0),
  };
}
