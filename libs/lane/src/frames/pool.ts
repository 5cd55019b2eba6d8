import { assert } from "@heddle/base";

/**
 * Memory that is used again. New memory of this size comes from the system page by page and makes V8 collect; filling it costs
 * many times what filling old memory does.
 */
export interface Pool<Memory extends ArrayBufferLike = ArrayBuffer> {
  /** That many bytes, aligned to 8, with whatever was in them: all of it must be written before any is read. */
  take(bytes: number): Uint8Array<Memory>;
  /**
   * Gives back what `take` gave, once; nobody may use it, or a view of it, from now on. What is never given back is
   * ordinary garbage.
   */
  give(memory: Uint8Array<Memory>): void;
  /** Bytes kept for later. */
  readonly heldBytes: number;
}

export interface PoolOptions {
  /** Kept at most; what comes above it replaces what was given back longest ago. */
  readonly heldBytesMax: number;
  /** Overwrites what is given back, so that whoever still reads it sees nonsense: for tests. */
  readonly wipes?: boolean;
}

/** Below this new memory is cheap. */
const pooledBytesMin = 4_096;
/** Frames of a run differ in size: with this much more a buffer fits the next ones, too. */
const slack = 1.25;

/** Opens an empty pool. */
export function openPool(options: PoolOptions): Pool {
  return poolOf(options, (bytes) => Buffer.allocUnsafeSlow(bytes).buffer);
}

/** A pool of memory that threads share. */
export function openSharedPool(options: PoolOptions): Pool<SharedArrayBuffer> {
  return poolOf(options, (bytes) => new SharedArrayBuffer(bytes));
}

function poolOf<Memory extends ArrayBufferLike>(
  { heldBytesMax, wipes = false }: PoolOptions,
  allocate: (bytes: number) => Memory,
): Pool<Memory> {
  /** In the order in which they came back. */
  const free: Memory[] = [];
  const lent = new WeakSet<Memory>();
  let heldBytes = 0;

  const remove = (at: number): Memory | undefined => {
    const [buffer] = free.splice(at, 1);
    heldBytes -= buffer?.byteLength ?? 0;
    return buffer;
  };
  return {
    get heldBytes() {
      return heldBytes;
    },
    take: (bytes) => {
      if (bytes < pooledBytesMin) return new Uint8Array(allocate(bytes));
      // The newest that fits is likeliest to be in the cache; a small frame does not take a large one's memory.
      const at = free.findLastIndex((b) => b.byteLength >= bytes && b.byteLength <= 2 * bytes);
      const buffer =
        remove(at < 0 ? free.length : at) ?? allocate(Math.ceil((bytes * slack) / 8) * 8);
      lent.add(buffer);
      return new Uint8Array(buffer, 0, bytes);
    },
    give: ({ buffer }) => {
      if (buffer.byteLength < pooledBytesMin) return;
      assert(lent.delete(buffer), "memory is given back once, and to where it was taken");
      if (wipes) new Uint8Array(buffer).fill(0xff);
      free.push(buffer);
      heldBytes += buffer.byteLength;
      while (heldBytes > heldBytesMax) remove(0);
    },
  };
}
