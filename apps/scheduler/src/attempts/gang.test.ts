import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "@heddle/base";
import type { JobExit, JobSpec } from "@heddle/jobs";
import { runGang } from "./gang.ts";
import { type LiveAttempt, openLiveAttempts } from "./live-attempts.ts";

const leases = { leaseMs: 100, firstBeatMs: 100 };
const config = { ...leases, stopGraceMs: 10, lossesMax: 1 };
const name = { run: "p/1", step: "train", attempt: 1 };
const { signal } = new AbortController();
const specOf = (id: string) => ({ id }) as JobSpec;

/** Jobs that do nothing but what they are told, and what became of them. */
function openJobs() {
  const said: string[] = [];
  const exits = new Map<string, (exit: JobExit) => void>();
  const start = async ({ id }: JobSpec) => {
    said.push(`start ${id}`);
    const exited = Promise.withResolvers<JobExit>();
    exits.set(id, exited.resolve);
    const stop = async (): Promise<void> => void said.push(`stop ${id}`);
    return { id, exited: exited.promise, stop };
  };
  const jobs = { start, running: () => [], [Symbol.asyncDispose]: async () => undefined };
  return { jobs, said, exits };
}

/** Time that passes as it is slept, and one more moment at each sleep. */
function clockOf(onSleep: (sleeps: number) => number): Clock {
  let [ms, sleeps] = [0, 0];
  return {
    ...systemClock,
    monotonicMs: () => ms,
    sleep: async (forMs, stop) => {
      ms += forMs + onSleep((sleeps += 1));
      await new Promise(setImmediate);
      stop.throwIfAborted();
    },
  };
}

test("a scheduler that was asleep itself takes nobody for silent before a lease has passed again", async () => {
  const clock = clockOf((sleeps) => {
    if (sleeps === 3) attempt.complete();
    return sleeps === 1 ? 60_000 : 0;
  });
  const attempt: LiveAttempt = openLiveAttempts(clock, leases).open(name, 1, ["learner"]);
  const { jobs } = openJobs();
  const members = [{ role: "learner", spec: specOf("learner") }];
  const loss = () => assert.fail("nobody is lost");
  assert.equal(await runGang(members, attempt, { jobs, clock, config }, loss, signal), undefined);
});

test("a member that is silent is stopped before another takes its place", async () => {
  const clock = clockOf(() => 0);
  const live = openLiveAttempts(clock, leases);
  const attempt = live.open(name, 1, ["learner", "shard-0"], ["shard-0"]);
  const beat = (role: string) =>
    live.job(`p/1/train/1/${role}`)?.beat({ address: `${role}:1`, progress: undefined });
  const { jobs, said } = openJobs();
  const heir = (life: number) => specOf(`shard-0.${life}`);
  const members = [
    { role: "learner", spec: specOf("learner") },
    { role: "shard-0", spec: specOf("shard-0"), heir },
  ];
  beat("shard-0");
  // Who waits for another can do with one.
  void attempt.gang("learner", signal, 0);
  const onLoss = async () => void said.push("lost shard-0");
  const gone = runGang(members, attempt, { jobs, clock, config }, onLoss, signal);
  while (!said.includes("start shard-0.1")) {
    beat("learner");
    await new Promise(setImmediate);
  }
  attempt.complete();
  await gone;
  assert.deepEqual(said.slice(0, 5), [
    ...["start learner", "start shard-0", "stop shard-0", "lost shard-0", "start shard-0.1"],
  ]);
});
