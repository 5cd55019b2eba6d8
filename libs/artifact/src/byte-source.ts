/** Bytes of a stream, as many as asked for. */
export interface ByteSource {
  /** The next `count` bytes, which stand until the next call; fewer only where the stream ends. */
  take(count: number): Promise<Uint8Array>;
  /** Ends the stream where it is; whoever reads it closes its file then. */
  close(): Promise<void>;
}

/** Holds one chunk of the stream and the largest part that was asked for, and copies only what lies in two chunks. */
export function byteSource(chunks: AsyncIterable<Uint8Array>): ByteSource {
  const iterator = chunks[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  let joined = new Uint8Array();
  const cut = (count: number): Uint8Array => {
    const part = rest.subarray(0, count);
    rest = rest.subarray(part.length);
    return part;
  };
  return {
    take: async (count) => {
      if (rest.length >= count) return cut(count);
      if (joined.length < count) joined = new Uint8Array(count);
      let filled = 0;
      while (filled < count) {
        if (rest.length === 0) {
          const next = await iterator.next();
          if (next.done === true) break;
          rest = next.value;
        }
        const part = cut(count - filled);
        joined.set(part, filled);
        filled += part.length;
      }
      return joined.subarray(0, filled);
    },
    close: async () => {
      await iterator.return?.();
    },
  };
}
