/** Runs a work after those that were asked for before it, whatever became of them. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

export function startTurns(): InTurn {
  let last: Promise<void> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = ended(mine);
    return mine;
  };
}

/** As `InTurn`, for the works of each key by themselves. */
export type InTurnByKey = <T>(key: string, work: () => Promise<T>) => Promise<T>;

export function startTurnsByKey(): InTurnByKey {
  /** Of keys that have a work under way. */
  const last = new Map<string, Promise<void>>();
  return (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(work);
    const end = ended(mine).then(() => {
      if (last.get(key) === end) last.delete(key);
    });
    last.set(key, end);
    return mine;
  };
}

/** When it ended in either way, and without what it gave, which nobody may keep. */
const ended = (work: Promise<unknown>): Promise<void> =>
  work.then(
    () => undefined,
    () => undefined,
  );
