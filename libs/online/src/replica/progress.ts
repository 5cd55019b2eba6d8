import { orAborted } from "@heddle/base";

/** How far a replica has applied its topic, by partition; and what else others wait for, told by `wake`. */
export interface Progress {
  /** The next offset of each partition: all before it is applied and can be read. */
  readonly offsets: readonly number[];
  restart(offsets: readonly number[]): void;
  move(partition: number, offset: number): void;
  wake(): void;
  has(offsets: readonly number[]): boolean;
  /** Waits until `done`, which may throw to give up; asked now and whenever something moved. */
  until(done: () => boolean, signal: AbortSignal): Promise<void>;
}

export function openProgress(): Progress {
  let offsets: readonly number[] = [];
  let moved = Promise.withResolvers<void>();
  const wake = (): void => {
    moved.resolve();
    moved = Promise.withResolvers<void>();
  };
  return {
    get offsets() {
      return offsets;
    },
    restart: (from) => {
      offsets = from;
      wake();
    },
    move: (partition, offset) => {
      offsets = offsets.with(partition, offset);
      wake();
    },
    wake,
    has: (wanted) => wanted.every((offset, partition) => (offsets[partition] ?? 0) >= offset),
    until: async (done, signal) => {
      while (!done()) await orAborted(moved.promise, signal);
    },
  };
}
