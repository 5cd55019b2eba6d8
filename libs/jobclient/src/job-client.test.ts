import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HeddleError } from "@heddle/base";
import { type HeartbeatRequest, SchedulerService } from "@heddle/proto/scheduler";
import { type CallContext, type Handlers, implementSome, serve } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { makeAttempt } from "./attempt.ts";
import { openJobClient } from "./job-client.ts";

const telemetry = silentTelemetry();
const never = new AbortController().signal;

type Scheduler = Handlers<typeof SchedulerService, CallContext>;

/** A scheduler that answers only what a job asks. */
const fakeScheduler = (answers: Partial<Scheduler>) =>
  serve({ implementations: [implementSome(SchedulerService, answers)], telemetry, drainMs: 50 });

const inputOf = (scheduler: string) => ({
  ...{ job: "p/49/train/1/learner", fence: 3, scheduler, peers: {} },
  objects: "objects",
});

const client = (scheduler: string) => openJobClient(inputOf(scheduler), telemetry);

function fencedError(): HeddleError {
  return new HeddleError("ABORTED", "FENCED", "the attempt was replaced: stop");
}

test("heartbeats come by themselves and carry the newest address and progress", async () => {
  const beats: HeartbeatRequest[] = [];
  const complete = Promise.withResolvers<void>();
  await using server = await fakeScheduler({
    heartbeat: async (request) => {
      beats.push(request);
      if (request.address !== "" && request.progress?.done === 5n) complete.resolve();
      return { leaseMs: 600 };
    },
  });
  await using job = client(server.address);
  await job.setAddress("127.0.0.1:9");
  job.progress(5, 10, "rows");
  await complete.promise;
  const last = beats.at(-1);
  assert.deepEqual([last?.address, last?.fence, last?.progress?.total], ["127.0.0.1:9", 3n, 10n]);
});

test("a FENCED answer to a heartbeat aborts the job's fence", async () => {
  await using server = await fakeScheduler({ heartbeat: () => Promise.reject(fencedError()) });
  await using job = client(server.address);
  await new Promise((resolve) => job.fenced.addEventListener("abort", resolve, { once: true }));
  assert.equal((job.fenced.reason as HeddleError).reason, "FENCED");
});

test("a job that the scheduler does not know stops, for nobody waits for it", async () => {
  const unknown = new HeddleError("NOT_FOUND", "UNKNOWN_JOB", "nobody waits for its result");
  await using server = await fakeScheduler({
    heartbeat: () => Promise.resolve({ leaseMs: 10_000 }),
    complete: () => Promise.reject(unknown),
  });
  await using job = client(server.address);
  await assert.rejects(job.complete({}), { reason: "UNKNOWN_JOB" });
  assert.equal((job.fenced.reason as HeddleError | undefined)?.reason, "UNKNOWN_JOB");
});

test("a job whose lease cannot be renewed stops by itself", async () => {
  let beats = 0;
  await using server = await fakeScheduler({
    heartbeat: () =>
      (beats += 1) === 1 ? Promise.resolve({ leaseMs: 30 }) : new Promise(() => undefined),
  });
  await using job = client(server.address);
  await new Promise((resolve) => job.fenced.addEventListener("abort", resolve, { once: true }));
  assert.match((job.fenced.reason as HeddleError).message, /could not renew its lease of 30 ms/);
});

test("a gang is given once it is whole, and a fence ends the wait", async () => {
  const refusing = Promise.withResolvers<void>();
  await using server = await fakeScheduler({
    heartbeat: () => Promise.resolve({ leaseMs: 1_000 }),
    awaitGang: async (request) => {
      if (request.fence === 3n) return { addresses: { "shard-0": "127.0.0.1:7" } };
      throw fencedError();
    },
    complete: async () => {
      await refusing.promise;
      throw fencedError();
    },
  });
  await using job = client(server.address);
  assert.deepEqual({ ...(await job.awaitGang(never)) }, { "shard-0": "127.0.0.1:7" });
  refusing.resolve();
  await assert.rejects(job.complete({ version: "v" }), { code: "ABORTED", reason: "FENCED" });
  assert.equal(job.fenced.aborted, true);
  await assert.rejects(job.awaitGang(never), { reason: "FENCED" });
});

test("outputs reach the scheduler before complete resolves", async () => {
  const seen: Record<string, string>[] = [];
  await using server = await fakeScheduler({
    heartbeat: () => Promise.resolve({ leaseMs: 1_000 }),
    complete: async (request) => {
      seen.push({ ...request.outputs });
      return {};
    },
  });
  await using job = client(server.address);
  await job.complete({ dataset: "d" });
  assert.deepEqual(seen, [{ dataset: "d" }]);
});

/** An attempt without telemetry, whose objects lie in a folder of its own. */
async function attempt(
  scheduler: string,
  work: Parameters<typeof makeAttempt>[2],
  stopped: AbortSignal = never,
): Promise<void> {
  const objects = mkdtempSync(join(tmpdir(), "heddle-attempt-"));
  try {
    const as = { service: "test", span: "work", environment: {}, stopped };
    await makeAttempt({ ...inputOf(scheduler), objects }, as, work);
  } finally {
    rmSync(objects, { recursive: true });
  }
}

test("a replaced attempt fails as FENCED, whatever its work failed with; one that was not keeps its reason", async () => {
  let fence = false;
  await using server = await fakeScheduler({
    heartbeat: () => (fence ? Promise.reject(fencedError()) : Promise.resolve({ leaseMs: 300 })),
  });
  const broken = new Error("the call was ended");
  const failed = attempt(server.address, () => Promise.reject(broken));
  await assert.rejects(failed, (error) => error === broken);
  const replaced = attempt(server.address, async ({ signal }) => {
    fence = true;
    await once(signal, "abort");
    throw broken;
  });
  await assert.rejects(replaced, { code: "ABORTED", reason: "FENCED" });
});

test("a job that is asked to stop sees its signal abort, and its line to the scheduler is still open", async () => {
  const beats: string[] = [];
  await using server = await fakeScheduler({
    heartbeat: async ({ address }) => {
      beats.push(address);
      return { leaseMs: 10_000 };
    },
  });
  const stop = new AbortController();
  const work: Parameters<typeof makeAttempt>[2] = async ({ signal, scheduler }) => {
    setImmediate(() => stop.abort());
    await once(signal, "abort");
    await scheduler.setAddress("127.0.0.1:9");
  };
  await attempt(server.address, work, stop.signal);
  assert.equal(beats.at(-1), "127.0.0.1:9");
});
