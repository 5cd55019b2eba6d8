import { isHeddleError } from "@heddle/base";

/** What is under way for a run's cuts: one snapshot that is written, and lost shards that are restored from the one before. */
export interface CutWork {
  /**
   * Does a part of a snapshot.
   *
   * @returns nothing when it is given up, because a shard was lost.
   */
  write<T>(part: () => Promise<T>): Promise<T | undefined>;
  /** Resolves when the snapshot has ended, whatever it came to. */
  written(): Promise<void>;
  /** Restores, while nobody deletes what is read. */
  restore<T>(all: () => Promise<T>): Promise<T>;
  /** Resolves when nothing is written or restored; rejects as the snapshot did. */
  rest(): Promise<void>;
}

/** @param mayLose whether a lost shard is no failure, but gives a snapshot up. */
export function openCutWork(mayLose: boolean): CutWork {
  let writing: Promise<unknown> = Promise.resolve();
  let restoring: Promise<unknown> = Promise.resolve();
  return {
    write: (part) => {
      const written = part().catch((error: unknown) => {
        if (!mayLose || !isHeddleError(error, "SHARD_REPLACED")) throw error;
        return undefined;
      });
      writing = written;
      // Who comes next learns of a failure.
      written.catch(() => undefined);
      return written;
    },
    written: async () => {
      for (let now: unknown; now !== writing;) {
        now = writing;
        await writing.catch(() => undefined);
      }
    },
    restore: (all) => {
      const restored = all();
      const before = restoring;
      restoring = restored.catch(() => undefined).then(() => before);
      return restored;
    },
    rest: async () => {
      let now: readonly Promise<unknown>[] = [];
      while (now[0] !== writing || now[1] !== restoring) {
        now = [writing, restoring];
        for (const work of now) await work;
      }
    },
  };
}
