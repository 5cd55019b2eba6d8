import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { jobId, openLiveAttempts, parseJobId } from "./live-attempts.ts";

const never = new AbortController().signal;
const name = { run: "p/49/a", step: "train", attempt: 2 };

function attemptsAt(time: { ms: number }) {
  const clock = { ...systemClock, monotonicMs: () => time.ms };
  return openLiveAttempts(clock, { leaseMs: 100, firstBeatMs: 500 });
}
const beat = (address: string) => ({ address, progress: undefined });

test("a job id is read back as it was made, also with a variant", () => {
  const job = { ...name, role: "shard-0" };
  assert.equal(jobId(job), "p/49/a/train/2/shard-0");
  assert.deepEqual(parseJobId(jobId(job)), job);
  assert.equal(parseJobId("p/49/train/0/learner"), undefined);
  const heir = { ...job, life: 3 };
  assert.equal(jobId(heir), "p/49/a/train/2/shard-0.3");
  assert.deepEqual(parseJobId(jobId(heir)), heir);
});

test("a lease lasts from the last heartbeat, the first one longer, and is renewed after a sleep of the scheduler", () => {
  const time = { ms: 0 };
  const live = attemptsAt(time);
  using attempt = live.open(name, 7, ["learner", "shard-0"]);
  time.ms = 499;
  assert.deepEqual(attempt.overdue(), []);
  live.job("p/49/a/train/2/learner")?.beat(beat(""));
  time.ms = 500;
  assert.deepEqual(attempt.overdue(), ["shard-0"]);
  attempt.renew();
  assert.deepEqual(attempt.overdue(), []);
  time.ms = 600;
  assert.deepEqual(attempt.overdue(), ["learner", "shard-0"]);
});

test("a gang is whole for a member when all others listen, and never when its attempt ends", async () => {
  const live = attemptsAt({ ms: 0 });
  const attempt = live.open(name, 7, ["learner", "shard-0", "shard-1"]);
  const gang = attempt.gang("learner", never);
  live.job("p/49/a/train/2/shard-0")?.beat(beat("a:1"));
  const alone = attempt.gang("shard-0", never);
  const gone = new AbortController();
  const impatient = attempt.gang("shard-0", gone.signal);
  live.job("p/49/a/train/2/shard-1")?.beat(beat("b:1"));
  assert.deepEqual(await gang, {
    addresses: { "shard-0": "a:1", "shard-1": "b:1" },
    ...{ losses: 0, replacements: {} },
  });
  gone.abort(new Error("the caller left"));
  await assert.rejects(impatient, /the caller left/);
  attempt[Symbol.dispose]();
  assert.equal(await alone, undefined);
  assert.equal(live.job("p/49/a/train/2/learner"), undefined);
});

test("nobody waits for a learner that follows, for nobody calls it", async () => {
  const live = attemptsAt({ ms: 0 });
  using attempt = live.open(name, 7, ["learner", "learner-1", "shard-0"], ["shard-0"]);
  const gangs = [attempt.gang("learner", never), attempt.gang("learner-1", never)];
  live.job("p/49/a/train/2/shard-0")?.beat(beat("a:1"));
  const addresses = (await Promise.all(gangs)).map((gang) => gang?.addresses);
  assert.deepEqual(addresses, [{ "shard-0": "a:1" }, { "shard-0": "a:1" }]);
});

test("a shard is replaced alone once all learners follow the gang, which is whole again when the other one listens", async () => {
  const time = { ms: 0 };
  const live = attemptsAt(time);
  using attempt = live.open(name, 7, ["learner", "learner-1", "shard-0"], ["shard-0"]);
  const first = live.job("p/49/a/train/2/shard-0");
  first?.beat(beat("a:1"));
  const replaced = attempt.gang("learner", never, 0);
  assert.equal(attempt.isReplaceable("shard-0"), false, "the other learner cannot do with another");
  const other = attempt.gang("learner-1", never, 0);
  assert.equal(attempt.isReplaceable("shard-0"), true);
  assert.equal(attempt.isReplaceable("learner-1"), false);
  assert.equal(attempt.replace("shard-0"), 1);
  assert.equal(live.job("p/49/a/train/2/shard-0"), undefined, "what the lost one says is refused");
  time.ms = 400;
  assert.deepEqual(attempt.overdue(), [], "the other one has to load");
  live.job("p/49/a/train/2/shard-0.1")?.beat(beat("b:1"));
  const gang = {
    ...{ addresses: { "shard-0": "b:1" }, losses: 1 },
    replacements: { "shard-0": { life: 1, lostForMs: 400 } },
  };
  assert.deepEqual([await replaced, await other], [gang, gang]);
});
