import { cpuSecondsOf } from "./cpu.ts";
import { type Gang, type GangOptions, type Place, withGang } from "./gang.ts";
import type { Jobs } from "@heddle/jobs";

/** What a stretch of a training took, from before the data was read. */
export interface Steady {
  readonly examples: number;
  /** Of all processes. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

/** How a gang is at a moment. */
export interface Moment {
  /** Trained so far. */
  readonly examples: number;
  readonly cpuSeconds: number;
  readonly wallMs: number;
}

/**
 * Trains without the beginning and the end: from when the learner asks for its data to the last moment that it is in the midst of them, so
 * that reading and transforming count, and starting programs and writing a model do not.
 *
 * @param examples how many the data has.
 */
export async function trainSteady(
  jobs: Jobs,
  place: Place,
  options: GangOptions,
  examples: number,
): Promise<Steady> {
  return withGang(jobs, place, options, async (gang) => {
    await gang.told.reading;
    const begin = momentOf(gang, 0);
    let end = begin;
    await watch(gang, (moment) => {
      const within = moment.examples < examples;
      if (within || end === begin) end = moment;
      return within;
    });
    return {
      examples: end.examples,
      cpuSeconds: end.cpuSeconds - begin.cpuSeconds,
      wallSeconds: (end.wallMs - begin.wallMs) / 1_000,
    };
  });
}

/** Looks at a gang each time that its leader says how far it is, as long as `on` says true. */
export function watch(gang: Gang, on: (moment: Moment) => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const following = gang.told.progress((examples) => {
    try {
      if (!on(momentOf(gang, examples))) resolve();
    } catch (error) {
      reject(error);
    }
  });
  return promise.finally(() => following[Symbol.dispose]());
}

export function momentOf({ pids }: Pick<Gang, "pids">, examples: number): Moment {
  const cpuSeconds = pids().reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
  return { examples, cpuSeconds, wallMs: performance.now() };
}
