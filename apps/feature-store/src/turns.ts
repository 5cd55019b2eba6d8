/** Runs work after the works of the same key that were asked for before it. */
export type InTurn = <T>(key: string, work: () => Promise<T>) => Promise<T>;

export function startTurns(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
}
