import type { Clock } from "@heddle/base";

/** Names a job: a late second start of the same attempt has the same id and collides. */
export interface JobName {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  /** `learner`, `shard-0`, `dataset`, `evaluation`. */
  readonly role: string;
}

export function jobId({ run, step, attempt, role }: JobName): string {
  return `${run}/${step}/${attempt}/${role}`;
}

/** Reads a job id; undefined when it is none. */
export function parseJobId(job: string): JobName | undefined {
  const match = /^(.+)\/([^/]+)\/([1-9]\d{0,8})\/([^/]+)$/.exec(job);
  if (match === null) return undefined;
  const [, run = "", step = "", attempt, role = ""] = match;
  return { run, step, attempt: Number(attempt), role };
}

export interface JobProgress {
  readonly done: bigint;
  readonly total: bigint;
  readonly unit: string;
  readonly message: string;
}

/** What a job says with a heartbeat. */
export interface Beat {
  readonly address: string;
  readonly progress: JobProgress | undefined;
}

/** A job of an attempt that this scheduler runs now. Nothing of it is kept. */
export interface LiveJob {
  readonly name: JobName;
  readonly fence: number;
  /** The one whose result counts. */
  readonly leader: boolean;
  readonly attempt: LiveAttempt;
  beat(beat: Beat): void;
}

/** An attempt whose jobs run under this scheduler. */
export interface LiveAttempt extends Disposable {
  /** Resolves when the leader's result is durable. */
  readonly completed: Promise<void>;
  complete(): void;
  /** Roles whose lease has run out. */
  overdue(): readonly string[];
  /** Gives every job a new lease: the scheduler itself was asleep and could not hear. */
  renew(): void;
  /** Addresses of the other members once all of them listen; rejects with the signal's reason, or undefined as the attempt ends. */
  gang(role: string, signal: AbortSignal): Promise<Record<string, string> | undefined>;
  /** The leader's newest word. */
  progress(): JobProgress | undefined;
}

export interface LiveAttempts {
  /** @param roles the leader's first. */
  open(name: Omit<JobName, "role">, fence: number, roles: readonly string[]): LiveAttempt;
  job(id: string): LiveJob | undefined;
  /** The progress of a step's attempt, if it runs here. */
  progress(run: string, step: string): JobProgress | undefined;
}

interface Member {
  address: string;
  progress: JobProgress | undefined;
  /** Monotonic milliseconds. */
  leaseEndsMs: number;
}

/**
 * Heartbeats, addresses and leases of the jobs under way. Leases count monotonic time, and are
 * forgotten with the process: its successor replaces every attempt anyway.
 */
export function openLiveAttempts(
  clock: Clock,
  { leaseMs, firstBeatMs }: { readonly leaseMs: number; readonly firstBeatMs: number },
): LiveAttempts {
  const jobs = new Map<string, LiveJob>();
  const steps = new Map<string, LiveAttempt>();

  const open: LiveAttempts["open"] = (name, fence, roles) => {
    const place = `${name.run}/${name.step}`;
    const started = clock.monotonicMs();
    const members = new Map<string, Member>(
      roles.map((role) => [
        role,
        { address: "", progress: undefined, leaseEndsMs: started + firstBeatMs },
      ]),
    );
    const completed = Promise.withResolvers<void>();
    const over = new AbortController();
    let changed = Promise.withResolvers<void>();
    const wake = (): void => {
      changed.resolve();
      changed = Promise.withResolvers();
    };
    over.signal.addEventListener("abort", wake);
    const attempt: LiveAttempt = {
      completed: completed.promise,
      complete: completed.resolve,
      overdue: () => {
        const now = clock.monotonicMs();
        return [...members].flatMap(([role, { leaseEndsMs }]) =>
          leaseEndsMs <= now ? [role] : [],
        );
      },
      renew: () => {
        const until = clock.monotonicMs() + leaseMs;
        for (const member of members.values()) {
          member.leaseEndsMs = Math.max(member.leaseEndsMs, until);
        }
      },
      gang: async (role, signal) => {
        const others = [...members].filter(([other]) => other !== role);
        while (!over.signal.aborted) {
          if (others.every(([, { address }]) => address !== "")) {
            return Object.fromEntries(others.map(([other, { address }]) => [other, address]));
          }
          await orAborted(changed.promise, signal);
        }
        return undefined;
      },
      progress: () => members.get(roles[0] ?? "")?.progress,
      [Symbol.dispose]: () => {
        over.abort();
        for (const role of roles) jobs.delete(jobId({ ...name, role }));
        if (steps.get(place) === attempt) steps.delete(place);
      },
    };
    for (const [role, member] of members) {
      const beat = (beat: Beat): void => {
        member.leaseEndsMs = clock.monotonicMs() + leaseMs;
        member.progress = beat.progress ?? member.progress;
        if (beat.address !== "" && beat.address !== member.address) {
          member.address = beat.address;
          wake();
        }
      };
      const leader = role === roles[0];
      jobs.set(jobId({ ...name, role }), { name: { ...name, role }, fence, leader, attempt, beat });
    }
    steps.set(place, attempt);
    return attempt;
  };

  return {
    open,
    job: (id) => jobs.get(id),
    progress: (run, step) => steps.get(`${run}/${step}`)?.progress(),
  };
}

/** Waits for a promise or the signal, whichever comes first; leaves no listener behind. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason as Error);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
