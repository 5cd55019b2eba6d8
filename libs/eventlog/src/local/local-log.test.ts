import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type Clock, systemClock } from "@heddle/base";
import { openLmdbEnvironment } from "@heddle/store";
import { openLocalLog } from "./local-log.ts";
import { type LogRecord, recordBytesMax } from "../port.ts";
import type { LocalLog } from "./local-partitions.ts";
import { consumeLocal } from "./local-subscription.ts";

function open(
  t: TestContext,
  options: { partitions?: number; mapBytesMax?: number; clock?: Clock } = {},
) {
  const path = mkdtempSync(join(tmpdir(), "heddle-log-"));
  const { partitions = 1, mapBytesMax = 64 << 20, clock = systemClock } = options;
  const environment = openLmdbEnvironment({ path, mapBytesMax });
  const backoff = { initialMs: 1, maxMs: 2, multiplier: 2, jitter: 0 };
  const log = openLocalLog(environment, { clock, random: () => 0.5, partitions, backoff });
  t.after(async () => {
    await log[Symbol.asyncDispose]();
    await environment[Symbol.asyncDispose]();
    rmSync(path, { recursive: true });
  });
  return { log, environment };
}
const record = (key: string, bytes = 10) => ({ key, value: new Uint8Array(bytes), headers: {} });

test("records of one key keep their partition and order, in a topic of several partitions", async (t) => {
  const { log } = open(t, { partitions: 4 });
  const keys = Array.from({ length: 200 }, (_, n) => `k${n % 10}`);
  for (const key of keys) await log.append("t", [record(key)]);
  const seen: LogRecord[] = [];
  const all = Promise.withResolvers<void>();
  const stop = new AbortController();
  const subscription = log.subscribe(
    { topic: "t", group: "g" },
    async (r) => void (seen.push(r) === 200 && all.resolve()),
    stop.signal,
  );
  await all.promise;
  stop.abort();
  await subscription;
  for (const key of new Set(keys)) {
    const own = seen.filter((r) => r.key === key);
    assert.equal(new Set(own.map((r) => r.partition)).size, 1);
    assert.equal(own.length, 20);
    assert.ok(own.every((r, n) => n === 0 || r.offset > (own[n - 1]?.offset ?? Infinity)));
  }
  assert.ok(new Set(seen.map((r) => r.partition)).size > 1);
});

test("a waiting subscriber is woken by an append within 50 ms", async (t) => {
  const { log } = open(t);
  const stop = new AbortController();
  let came = Promise.withResolvers<number>();
  const handle = async (): Promise<void> => came.resolve(performance.now());
  const subscription = log.subscribe({ topic: "t", group: "g" }, handle, stop.signal);
  const delays: number[] = [];
  for (let n = 0; n < 20; n++) {
    came = Promise.withResolvers();
    await log.append("t", [record("a")]);
    const appendedMs = performance.now();
    delays.push((await came.promise) - appendedMs);
  }
  stop.abort();
  await subscription;
  const median = delays.sort((a, b) => a - b)[10] ?? Infinity;
  assert.ok(median < 50, `${median} ms`);
});

test("a full log refuses a batch whole with its own reason", async (t) => {
  const { log } = open(t, { mapBytesMax: 1 << 20 });
  const batch = Array.from({ length: 8 }, (_, n) => record(`${n}`, 200_000));
  await log.append("t", [record("kept")]);
  const full = { code: "RESOURCE_EXHAUSTED", reason: "LOG_FULL" };
  await assert.rejects(log.append("t", batch), full);
  assert.equal((await log.read("t", 0, 0, 10)).length, 1);
});

test("the largest record still fits among the dead letters, and closing ends the subscriptions", async (t) => {
  const { log } = open(t);
  // Key and headers have 3 bytes.
  const above = log.append("t", [record("k", recordBytesMax - 2)]);
  await assert.rejects(above, { reason: "RECORD_TOO_LARGE" });
  await log.append("t", [record("k", recordBytesMax - 3)]);
  const dead = Promise.withResolvers<LogRecord>();
  const forever = new AbortController();
  const fails = log.subscribe(
    { topic: "t", group: "g" },
    () => Promise.reject(new Error("x".repeat(5_000))),
    forever.signal,
  );
  const letters = log.subscribe(
    { topic: "t.dead-letter", group: "g" },
    async (r) => dead.resolve(r),
    forever.signal,
  );
  assert.equal((await dead.promise).headers["dead_letter_reason"]?.length, 1_000);
  await log[Symbol.asyncDispose]();
  await Promise.all([fails, letters]);
});

test("a corrupt record is reported, not returned, and ends the subscription", async (t) => {
  const { log, environment } = open(t);
  await log.append("t", [record("a")]);
  const raw = environment.database("log/records");
  const [key] = [...raw.getKeys()];
  assert.ok(key);
  await environment.write(1, () => void raw.putSync(key, Buffer.from("torn")));
  const corrupt = { code: "DATA_LOSS", reason: "RECORD_CORRUPT" };
  await assert.rejects(log.read("t", 0, 0, 1), corrupt);
  const never = new AbortController().signal;
  await assert.rejects(
    log.subscribe({ topic: "t", group: "g" }, async () => {}, never),
    corrupt,
  );
});

test(
  "a partition that cannot be read ends the subscription to the others, too",
  { timeout: 20_000 },
  async (t) => {
    const { log, environment } = open(t, { partitions: 2 });
    await log.append("t", [record("a")]);
    const raw = environment.database("log/records");
    const [key] = [...raw.getKeys()];
    assert.ok(key);
    await environment.write(1, () => void raw.putSync(key, Buffer.from("torn")));
    const never = new AbortController().signal;
    await assert.rejects(
      log.subscribe({ topic: "t", group: "g" }, async () => {}, never),
      { code: "DATA_LOSS", reason: "RECORD_CORRUPT" },
    );
  },
);

test("an append that comes while a subscriber reads wakes it", { timeout: 20_000 }, async () => {
  const wakes: (() => void)[] = [];
  const found = { ...record("a"), topic: "t", partition: 0, offset: 0, timeMs: 0 };
  let reads = 0;
  const backoff = { initialMs: 1, maxMs: 2, multiplier: 2, jitter: 0 };
  const log: LocalLog = {
    read: async () => {
      reads += 1;
      if (reads === 2) return [found];
      for (const wake of wakes) wake();
      return [];
    },
    ...{ offsetOf: () => 0, move: async () => undefined, positions: async () => [] },
    onAppend: (_topic, wake) => void wakes.push(wake),
    deps: { clock: systemClock, random: () => 0.5, partitions: 1, backoff },
  };
  const stop = new AbortController();
  const seen: string[] = [];
  const take = async (r: LogRecord): Promise<void> => (seen.push(r.key), stop.abort());
  await consumeLocal(log, { topic: "t", group: "g" }, 0, take, stop.signal);
  assert.deepEqual(seen, ["a"]);
});

test("one read takes a few MiB at most, however many records are asked for", async (t) => {
  const { log } = open(t);
  for (let n = 0; n < 12; n++) await log.append("t", [record(`${n}`, 1_000_000)]);
  const first = await log.read("t", 0, 0, 100);
  assert.ok(first.length > 1 && first.length < 10, `${first.length} records`);
  assert.equal((await log.read("t", 0, first.length, 100)).length, 12 - first.length);
});

test("a dead letter for which there is no room waits, and its record is not skipped", async (t) => {
  const stop = new AbortController();
  let sleeps = 0;
  const sleep: Clock["sleep"] = async () => void (++sleeps === 5 && stop.abort());
  const { log } = open(t, { mapBytesMax: 1 << 20, clock: { ...systemClock, sleep } });
  await log.append("t", [record("a", 600_000)]);
  const refuse = () => Promise.reject(new Error("no"));
  await log.subscribe({ topic: "t", group: "g", triesMax: 1 }, refuse, stop.signal);
  assert.equal(sleeps, 5);
  const again = new AbortController();
  const seen: string[] = [];
  const take = async (r: LogRecord): Promise<void> => (seen.push(r.key), again.abort());
  await log.subscribe({ topic: "t", group: "g" }, take, again.signal);
  assert.deepEqual(seen, ["a"]);
});
