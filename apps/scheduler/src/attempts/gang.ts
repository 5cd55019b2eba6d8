import { type Clock, orAborted, within } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import type { JobExit, Jobs, JobSpec, RunningJob } from "@heddle/jobs";
import type { Limits } from "../config.ts";
import type { LiveAttempt } from "./live-attempts.ts";
import type { Failure } from "../runs/run-state.ts";
import { failureOf } from "../steps/failure.ts";

export interface GangDeps {
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly config: Pick<Limits, "leaseMs" | "stopGraceMs" | "lossesMax">;
}

/** A job to start, under its role in the gang. */
export interface GangMember {
  readonly role: string;
  readonly spec: JobSpec;
  /** The job that takes its place when it is lost; absent for one that is not replaced alone. */
  readonly heir?: (life: number) => JobSpec;
}

/** A member that was replaced alone. */
export interface Loss extends Failure {
  readonly role: string;
  readonly life: number;
}

/** How long the exits of others are awaited after a first one, to tell the cause from what it caused. */
const noticeMs = 200;

/** How an attempt goes on or ends. */
type Turn =
  | { readonly kind: "completed" }
  | { readonly kind: "exit" }
  | { readonly kind: "silent"; readonly role: string };

/**
 * Starts all jobs of an attempt together and stays until they are gone. A lost or silent member is replaced alone where the others can do
 * with that (`isReplaceable`); else one lost, failed or silent member stops all, for parameters lie in all of their memories.
 *
 * @param members the leader first.
 * @param onLoss records that a member is lost, before another takes its place.
 * @returns why the attempt failed; undefined when the leader's result is durable.
 * @throws the signal's reason when it aborts; the jobs are gone by then.
 */
export async function runGang(
  members: readonly GangMember[],
  attempt: LiveAttempt,
  deps: GangDeps,
  onLoss: (loss: Loss) => Promise<unknown>,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const { jobs, config } = deps;
  const started = await Promise.allSettled(members.map(({ spec }) => jobs.start(spec)));
  const running = new Map<string, RunningJob>();
  started.forEach((outcome, n) => {
    const role = members[n]?.role ?? "";
    if (outcome.status === "fulfilled") running.set(role, outcome.value);
  });
  const exits = openExits(running);
  try {
    const refused = started.find((outcome) => outcome.status === "rejected");
    if (refused !== undefined) return failureOf(refused.reason);
    for (;;) {
      const turn = await nextTurn(exits, attempt, deps, signal);
      if (turn.kind === "completed") {
        // The leader is about to leave by itself, with its traces written.
        const leader = running.get(members[0]?.role ?? "");
        if (leader) await within(config.stopGraceMs, leader.exited, deps.clock, signal);
        return undefined;
      }
      const lost = await lostOf(turn, exits, running, deps, signal);
      const replaceable = lost.every(
        ({ role, retryable }) => retryable && attempt.isReplaceable(role),
      );
      const [cause] = lost;
      if (cause === undefined || !replaceable) return cause;
      for (const { role, ...why } of lost) {
        const heir = members.find((member) => member.role === role)?.heir;
        const life = attempt.replace(role);
        if (heir === undefined || life > config.lossesMax) return why;
        await running.get(role)?.stop(config.stopGraceMs);
        await onLoss({ ...why, role, life });
        failpoint("scheduler.replace.before-start");
        running.set(role, await jobs.start(heir(life)));
        exits.watch(role);
      }
    }
  } finally {
    await Promise.all([...running.values()].map((job) => job.stop(config.stopGraceMs)));
  }
}

/** Exits of members, until others take their places. */
interface Exits {
  readonly all: ReadonlyMap<string, JobExit>;
  /** Resolves when there is one. */
  next(): Promise<void>;
  /** Another job has the role now. */
  watch(role: string): void;
}

function openExits(running: ReadonlyMap<string, RunningJob>): Exits {
  const all = new Map<string, JobExit>();
  let some = Promise.withResolvers<void>();
  const watch = (role: string): void => {
    all.delete(role);
    if (all.size === 0) some = Promise.withResolvers();
    const job = running.get(role);
    void job?.exited.then((exit) => {
      if (running.get(role) !== job) return;
      all.set(role, exit);
      some.resolve();
    });
  };
  for (const role of running.keys()) watch(role);
  return { all, watch, next: () => some.promise };
}

/** Waits for what decides how it goes on. */
async function nextTurn(
  exits: Exits,
  attempt: LiveAttempt,
  { clock, config }: GangDeps,
  signal: AbortSignal,
): Promise<Turn> {
  const over = new AbortController();
  const watching = AbortSignal.any([signal, over.signal]);
  try {
    return await orAborted(
      Promise.race([
        attempt.completed.then(() => ({ kind: "completed" }) as const),
        exits.next().then(() => ({ kind: "exit" }) as const),
        silence(attempt, clock, config.leaseMs, watching),
      ]),
      signal,
    );
  } finally {
    over.abort();
  }
}

/** The members that are gone, the cause first; each with why. */
async function lostOf(
  turn: Turn,
  exits: Exits,
  running: ReadonlyMap<string, RunningJob>,
  { clock, config }: GangDeps,
  signal: AbortSignal,
): Promise<readonly (Failure & { readonly role: string })[]> {
  if (turn.kind === "silent") {
    const { role } = turn;
    const { leaseMs } = config;
    const error = `job ${role} sent no heartbeat within its lease of ${leaseMs} ms; it was stopped`;
    return [{ role, reason: "LEASE_EXPIRED", error, retryable: true }];
  }
  const all = Promise.all([...running.values()].map((job) => job.exited));
  await within(noticeMs, all, clock, signal);
  return failuresOf(exits.all);
}

/** Resolves when a member has been silent for a lease. */
async function silence(
  attempt: LiveAttempt,
  clock: Clock,
  leaseMs: number,
  signal: AbortSignal,
): Promise<Turn> {
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
    return { kind: "silent", role: silent };
  }
}

/** The cause among several exits comes first: a member that vanished, before those that missed it. */
function failuresOf(
  exits: ReadonlyMap<string, JobExit>,
): readonly (Failure & { readonly role: string })[] {
  const lostFirst = [...exits].sort(
    ([, a], [, b]) => Number(b.kind === "lost") - Number(a.kind === "lost"),
  );
  return lostFirst.map(([role, exit]) => ({ role, ...failureOfExit(role, exit) }));
}

function failureOfExit(role: string, exit: JobExit): Failure {
  if (exit.kind === "failed") {
    const { reason, message, retryable } = exit;
    return { reason, error: `job ${role}: ${message}`, retryable };
  }
  if (exit.kind === "lost") {
    return { reason: "JOB_LOST", error: `job ${role} vanished: ${exit.message}`, retryable: true };
  }
  return {
    reason: "NOT_COMPLETED",
    error: `job ${role} ended without recording a result: it must call Complete before it exits`,
    retryable: true,
  };
}
