import { type Clock, present } from "@heddle/base";

/** Names a job: a late second start of the same attempt has the same id and collides. */
export interface JobName {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  /** `learner`, `learner-1`, `shard-0`, `dataset`, `evaluation`. */
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
  /** Addresses of the other members that listen, once all of them do; rejects with the signal's reason, or undefined as the attempt ends. */
  gang(role: string, signal: AbortSignal): Promise<Record<string, string> | undefined>;
  /** The leader's newest word. */
  progress(): JobProgress | undefined;
}

export interface LiveAttempts {
  /**
   * @param roles the leader's first.
   * @param listening those that others call, and so wait for: all when not said.
   */
  open(
    name: Omit<JobName, "role">,
    fence: number,
    roles: readonly string[],
    listening?: readonly string[],
  ): LiveAttempt;
  job(id: string): LiveJob | undefined;
  /** The progress of a step's attempt, if it runs here. */
  progress(run: string, step: string): JobProgress | undefined;
}

interface Leases {
  readonly leaseMs: number;
  /** The first heartbeat may take longer: a process has to load. */
  readonly firstBeatMs: number;
}

/**
 * Heartbeats, addresses and leases of the jobs under way. Leases count monotonic time, and are
 * forgotten with the process: its successor replaces every attempt anyway.
 */
export function openLiveAttempts(clock: Clock, leases: Leases): LiveAttempts {
  const jobs = new Map<string, LiveJob>();
  const steps = new Map<string, LiveAttempt>();
  return {
    open: (name, fence, roles, listening = roles) => {
      const place = `${name.run}/${name.step}`;
      const members = openMembers(clock, leases, roles, listening);
      const completed = Promise.withResolvers<void>();
      const attempt: LiveAttempt = {
        ...members,
        completed: completed.promise,
        complete: completed.resolve,
        [Symbol.dispose]: () => {
          members.close();
          for (const role of roles) jobs.delete(jobId({ ...name, role }));
          if (steps.get(place) === attempt) steps.delete(place);
        },
      };
      for (const role of roles) {
        const job = { ...name, role };
        const leader = role === roles[0];
        const beat = (said: Beat): void => members.beat(role, said);
        jobs.set(jobId(job), { name: job, fence, leader, attempt, beat });
      }
      steps.set(place, attempt);
      return attempt;
    },
    job: (id) => jobs.get(id),
    progress: (run, step) => steps.get(`${run}/${step}`)?.progress(),
  };
}

interface Member {
  address: string;
  progress: JobProgress | undefined;
  /** Monotonic milliseconds. */
  leaseEndsMs: number;
}

interface Members extends Pick<LiveAttempt, "overdue" | "renew" | "gang" | "progress"> {
  beat(role: string, beat: Beat): void;
  /** Ends the waiting for the gang. */
  close(): void;
}

function openMembers(
  clock: Clock,
  leases: Leases,
  roles: readonly string[],
  listening: readonly string[],
): Members {
  const { leaseMs, firstBeatMs } = leases;
  const leaseEndsMs = clock.monotonicMs() + firstBeatMs;
  const members = new Map<string, Member>(
    roles.map((role) => [role, { address: "", progress: undefined, leaseEndsMs }]),
  );
  let closed = false;
  let changed = Promise.withResolvers<void>();
  const wake = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  return {
    beat: (role, { address, progress }) => {
      const member = present(members.get(role), `member ${role}`);
      member.leaseEndsMs = clock.monotonicMs() + leaseMs;
      member.progress = progress ?? member.progress;
      if (address === "" || address === member.address) return;
      member.address = address;
      wake();
    },
    overdue: () => {
      const now = clock.monotonicMs();
      return [...members].flatMap(([role, member]) => (member.leaseEndsMs <= now ? [role] : []));
    },
    renew: () => {
      const until = clock.monotonicMs() + leaseMs;
      for (const member of members.values()) {
        member.leaseEndsMs = Math.max(member.leaseEndsMs, until);
      }
    },
    gang: async (role, signal) => {
      const others = [...members].filter(([other]) => other !== role && listening.includes(other));
      while (!closed) {
        if (others.every(([, { address }]) => address !== "")) {
          return Object.fromEntries(others.map(([other, { address }]) => [other, address]));
        }
        await orAborted(changed.promise, signal);
      }
      return undefined;
    },
    progress: () => members.get(roles[0] ?? "")?.progress,
    close: () => {
      closed = true;
      wake();
    },
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
