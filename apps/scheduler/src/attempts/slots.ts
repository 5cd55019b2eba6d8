import type { Step } from "@heddle/sdk";

/** What a step needs while it runs. */
export interface Need {
  readonly cpu: number;
  readonly jobs: number;
}

/** Room for steps: each takes all it needs at once or waits, in the order of asking. */
export interface Slots {
  /** Resolves with what gives the room back. Rejects with the signal's reason when it aborts first. */
  acquire(need: Need, signal: AbortSignal): Promise<Disposable>;
}

/**
 * What each kind of step takes. A dataset build, a training and an evaluation can each keep a core
 * busy, so they count; gates and publications wait for others and take none.
 */
export function needOf(step: Step): Need {
  switch (step.kind) {
    case "build-dataset":
    case "evaluate":
      return { cpu: 1, jobs: 1 };
    case "train": {
      const { learners = 1 } = step;
      return { cpu: learners, jobs: learners + step.shards };
    }
    case "gate":
    case "publish":
      return { cpu: 0, jobs: 0 };
  }
}

interface Waiting {
  readonly need: Need;
  readonly admit: () => void;
}

/** First come, first served: a gang is not overtaken for ever by small steps. */
export function openSlots(total: Need): Slots {
  let free = total;
  const queue: Waiting[] = [];
  const admit = (): void => {
    for (let head = queue[0]; head !== undefined && fits(head.need, free); head = queue[0]) {
      queue.shift();
      free = plus(free, head.need, -1);
      head.admit();
    }
  };
  return {
    acquire: (asked, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        // A gang of more learners than there are cores has them all; it would wait for ever otherwise.
        const need = { ...asked, cpu: Math.min(asked.cpu, total.cpu) };
        const giveUp = (): void => {
          queue.splice(queue.indexOf(waiting), 1);
          reject(signal.reason as Error);
          admit();
        };
        const waiting: Waiting = {
          need,
          admit: () => {
            signal.removeEventListener("abort", giveUp);
            resolve({
              [Symbol.dispose]: () => {
                free = plus(free, need, 1);
                admit();
              },
            });
          },
        };
        queue.push(waiting);
        signal.addEventListener("abort", giveUp, { once: true });
        admit();
      }),
  };
}

const fits = (need: Need, free: Need): boolean => need.cpu <= free.cpu && need.jobs <= free.jobs;

const plus = (free: Need, need: Need, sign: 1 | -1): Need => ({
  cpu: free.cpu + sign * need.cpu,
  jobs: free.jobs + sign * need.jobs,
});
