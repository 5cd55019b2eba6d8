/** What is put is taken once, in order. */
export interface Queue<T> {
  put(item: T): void;
  /** The oldest item; waits while there is none. Those who wait are served in their order. */
  take(): Promise<T>;
}

export function openQueue<T>(items: readonly T[] = []): Queue<T> {
  const held = [...items];
  const waiting: ((item: T) => void)[] = [];
  return {
    put: (item) => {
      const next = waiting.shift();
      if (next === undefined) held.push(item);
      else next(item);
    },
    take: async () => {
      const [first] = held.splice(0, 1);
      return first ?? (await new Promise<T>((given) => waiting.push(given)));
    },
  };
}
