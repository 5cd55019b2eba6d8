import { assert } from "@heddle/base";

/** How long a thread was busy with one thing, and what that cost. */
interface Busy {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** What a thread is busy with, as other threads see it: the time of the current activity counts up to now. */
export interface ActivityReader {
  busy(activity: string): Busy;
  /** CPU of the thread over all activities, milliseconds, up to its last answer. */
  cpuMs(): number;
}

/** The thread's own side. */
export interface Activities {
  /** Begins an activity, by number; returns the one that ended. */
  turnTo(activity: number): number;
  /** Adds up what the current one took so far, CPU included. */
  settle(): void;
}

// Float64: when the current activity began (wall, CPU), then wall and CPU of each; before them Int32: version, current one.
const headBytes = 8;
const heads = 2;

export function openActivities(names: readonly string[]): SharedArrayBuffer {
  return new SharedArrayBuffer(headBytes + 8 * (heads + 2 * names.length));
}

/** Must be opened by the thread itself: CPU time is that of the thread that asks. */
export function writeActivities(memory: SharedArrayBuffer): Activities {
  const { head, times } = viewsOf(memory);
  const now = (): void => {
    times[0] = monotonicMs();
    times[1] = threadCpuMs();
  };
  now();
  Atomics.add(head, 0, 2);
  const turnTo = (activity: number): number => {
    const before = head[1] as number;
    const [wall, cpu] = [times[0] as number, times[1] as number];
    // The version is odd while the numbers do not fit each other.
    Atomics.add(head, 0, 1);
    now();
    const at = heads + 2 * before;
    times[at] = (times[at] as number) + (times[0] as number) - wall;
    times[at + 1] = (times[at + 1] as number) + (times[1] as number) - cpu;
    head[1] = activity;
    Atomics.add(head, 0, 1);
    return before;
  };
  return { turnTo, settle: () => void turnTo(head[1] as number) };
}

export function readActivities(
  names: readonly string[],
  memory: SharedArrayBuffer,
): ActivityReader {
  const { head, times } = viewsOf(memory);
  /** The numbers as of one moment. */
  const steady = <T>(read: () => T): T => {
    for (;;) {
      const version = Atomics.load(head, 0);
      const value = read();
      if (version % 2 === 0 && Atomics.load(head, 0) === version) return value;
    }
  };
  return {
    busy: (activity) => {
      const number = names.indexOf(activity);
      assert(number >= 0, `${activity} is an activity of the thread`);
      const at = heads + 2 * number;
      return steady(() => {
        // Not started yet: the version is still 0.
        const current = head[1] === number && Atomics.load(head, 0) > 0;
        const since = current ? Math.max(0, monotonicMs() - (times[0] as number)) : 0;
        return { wallMs: (times[at] as number) + since, cpuMs: times[at + 1] as number };
      });
    },
    cpuMs: () =>
      steady(() => names.reduce((sum, _, n) => sum + (times[heads + 2 * n + 1] as number), 0)),
  };
}

function viewsOf(memory: SharedArrayBuffer) {
  return { head: new Int32Array(memory, 0, 2), times: new Float64Array(memory, headBytes) };
}

/** The same in all threads of the process; `performance.now()` counts from a thread's start. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
