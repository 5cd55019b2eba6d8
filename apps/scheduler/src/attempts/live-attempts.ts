import type { Clock } from "@heddle/base";
import { type Beat, type JobProgress, type Leases, type Members, openMembers } from "./members.ts";

/** Names a job: a late second start of the same attempt has the same id and collides. */
export interface JobName {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  /** `learner`, `learner-1`, `shard-0`, `dataset`, `evaluation`. */
  readonly role: string;
  /** Above 0 for a job that took a lost one's place: no two of an attempt have the same; 0 when absent. */
  readonly life?: number;
}

export function jobId({ run, step, attempt, role, life = 0 }: JobName): string {
  return `${run}/${step}/${attempt}/${role}${life === 0 ? "" : `.${life}`}`;
}

/** Reads a job id; undefined when it is none. */
export function parseJobId(job: string): JobName | undefined {
  const match = /^(.+)\/([^/]+)\/([1-9]\d{0,8})\/([^/.]+)(?:\.([1-9]\d{0,8}))?$/.exec(job);
  if (match === null) return undefined;
  const [, run = "", step = "", attempt, role = "", life] = match;
  return { run, step, attempt: Number(attempt), role, ...(life && { life: Number(life) }) };
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
export interface LiveAttempt extends Omit<Members, "beat" | "close">, Disposable {
  /** Resolves when the leader's result is durable. */
  readonly completed: Promise<void>;
  complete(): void;
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
      const ids = new Map<string, string>();
      const enter = (role: string, life = 0): void => {
        const job = { ...name, role, life };
        const leader = role === roles[0];
        const beat = (said: Beat): void => members.beat(role, said);
        ids.set(role, jobId(job));
        jobs.set(jobId(job), { name: job, fence, leader, attempt, beat });
      };
      const leave = (role: string): boolean => jobs.delete(ids.get(role) ?? "");
      const attempt: LiveAttempt = {
        ...members,
        completed: completed.promise,
        complete: completed.resolve,
        replace: (role) => {
          leave(role);
          const life = members.replace(role);
          enter(role, life);
          return life;
        },
        [Symbol.dispose]: () => {
          members.close();
          for (const role of roles) leave(role);
          if (steps.get(place) === attempt) steps.delete(place);
        },
      };
      for (const role of roles) enter(role);
      steps.set(place, attempt);
      return attempt;
    },
    job: (id) => jobs.get(id),
    progress: (run, step) => steps.get(`${run}/${step}`)?.progress(),
  };
}
