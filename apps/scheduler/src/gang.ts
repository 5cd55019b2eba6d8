import type { Clock } from "@heddle/base";
import type { JobExit, Jobs, JobSpec, RunningJob } from "@heddle/jobs";
import type { Limits } from "./config.ts";
import { type LiveAttempt, orAborted } from "./live-attempts.ts";
import type { Failure } from "./run-state.ts";
import { failureOf } from "./steps/failure.ts";

export interface GangDeps {
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly config: Pick<Limits, "leaseMs" | "stopGraceMs">;
}

/** A job to start, under its role in the gang. */
export interface GangMember {
  readonly role: string;
  readonly spec: JobSpec;
}

/** How long the exits of others are awaited after a first one, to tell the cause from what it caused. */
const noticeMs = 200;

/**
 * Starts all jobs of an attempt together and stays until they are gone. One lost, failed or silent
 * member stops all: parameters lie in all of their memories, so none can be replaced alone.
 *
 * @param members the leader first.
 * @returns why the attempt failed; undefined when the leader's result is durable.
 * @throws the signal's reason when it aborts; the jobs are gone by then.
 */
export async function runGang(
  members: readonly GangMember[],
  attempt: LiveAttempt,
  deps: GangDeps,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const started = await Promise.allSettled(members.map(({ spec }) => deps.jobs.start(spec)));
  const running = started.flatMap((outcome) =>
    outcome.status === "fulfilled" ? [outcome.value] : [],
  );
  try {
    const refused = started.find((outcome) => outcome.status === "rejected");
    if (refused !== undefined) return failureOf(refused.reason);
    return await outcome(members, running, attempt, deps, signal);
  } finally {
    await Promise.all(running.map((job) => job.stop(deps.config.stopGraceMs)));
  }
}

async function outcome(
  members: readonly GangMember[],
  running: readonly RunningJob[],
  attempt: LiveAttempt,
  { clock, config }: GangDeps,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const over = new AbortController();
  const watching = AbortSignal.any([signal, over.signal]);
  const exits = new Map<string, JobExit>();
  const firstExit = Promise.race(
    running.map(async (job, n) => {
      exits.set(members[n]?.role ?? job.id, await job.exited);
    }),
  );
  try {
    const ended = await orAborted(
      Promise.race([
        attempt.completed.then(() => "completed" as const),
        firstExit.then(() => "exit" as const),
        silence(attempt, clock, config.leaseMs, watching),
      ]),
      signal,
    );
    if (typeof ended === "object") return ended;
    if (ended === "completed") {
      // The leader is about to leave by itself, with its traces written.
      await atMost(clock, config.stopGraceMs, running[0]?.exited, signal);
      return undefined;
    }
    await atMost(clock, noticeMs, Promise.all(running.map((job) => job.exited)), signal);
    return failureOfExits(exits);
  } finally {
    over.abort();
  }
}

/** Resolves when a member has been silent for a lease. */
async function silence(
  attempt: LiveAttempt,
  clock: Clock,
  leaseMs: number,
  signal: AbortSignal,
): Promise<Failure> {
  let checked = clock.monotonicMs();
  for (;;) {
    try {
      await clock.sleep(leaseMs / 4, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      return await new Promise<never>(() => undefined);
    }
    const now = clock.monotonicMs();
    // A scheduler that was stopped itself has not heard the heartbeats that wait in its sockets.
    if (now - checked > leaseMs / 2) attempt.renew();
    checked = now;
    const [silent] = attempt.overdue();
    if (silent === undefined) continue;
    return {
      reason: "LEASE_EXPIRED",
      error: `job ${silent} sent no heartbeat within its lease of ${leaseMs} ms; it was stopped`,
      retryable: true,
    };
  }
}

/** The cause among several exits: a member that vanished comes before those that missed it. */
function failureOfExits(exits: ReadonlyMap<string, JobExit>): Failure {
  const [first] = exits;
  const [role, exit] = [...exits].find(([, { kind }]) => kind === "lost") ??
    first ?? ["", undefined];
  if (exit?.kind === "failed") {
    const { reason, message, retryable } = exit;
    return { reason, error: `job ${role}: ${message}`, retryable };
  }
  if (exit?.kind === "lost") {
    return { reason: "JOB_LOST", error: `job ${role} vanished: ${exit.message}`, retryable: true };
  }
  return {
    reason: "NOT_COMPLETED",
    error: `job ${role} ended without recording a result: it must call Complete before it exits`,
    retryable: true,
  };
}

async function atMost(
  clock: Clock,
  ms: number,
  event: Promise<unknown> | undefined,
  signal: AbortSignal,
): Promise<void> {
  const enough = new AbortController();
  const timer = clock
    .sleep(ms, AbortSignal.any([signal, enough.signal]))
    .catch((error: unknown) => {
      if (!enough.signal.aborted && !signal.aborted) throw error;
    });
  await Promise.race([event, timer]);
  enough.abort();
}
