import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "@heddle/base";
import { kafkaForTests, type RunningKafka, startKafka } from "@heddle/servers";
import { temporaryFolder } from "@heddle/testkit";
import type { EventLog, LogRecord } from "../port.ts";
import { openKafkaLog } from "./kafka-log.ts";

const kafka = await kafkaForTests();
const skip = kafka.skip;
const run = Date.now().toString(36);
const single = "replicas=1&minInSyncReplicas=1";
const backoff = { initialMs: 50, maxMs: 500, multiplier: 2, jitter: 0 };
const deps = {
  ...{ clock: systemClock, random: () => 0.5, backoff, sessionTimeoutMs: 3_000 },
  // A broker takes its time to come back on a busy machine.
  appendWithinMs: 120_000,
};

const open = (url: string, query: string, more: Partial<typeof deps> = {}): EventLog =>
  openKafkaLog({ url: `${url}/${run}.?${single}&${query}`, ...deps, ...more });
const record = (key: string, value = key) => ({
  ...{ key, value: new TextEncoder().encode(value), headers: { ce_id: value } },
});
const textOf = ({ value }: LogRecord): string => new TextDecoder().decode(value);

test(
  "a broker that is killed while it is written to and read loses no acknowledged record, and doubles none",
  { skip, timeout: 240_000 },
  async () => {
    using folder = temporaryFolder("kafka-kills");
    let broker: RunningKafka = await startKafka(folder.path);
    try {
      await using log = open(broker.url, "partitions=3");
      const [keys, each, kills] = [5, 400, 2];
      const seen = new Map<string, number>();
      const stop = new AbortController();
      const consumed = Promise.withResolvers<void>();
      const handle = async (one: LogRecord): Promise<void> => {
        const [key = "", n = ""] = textOf(one).split("/");
        const last = seen.get(key) ?? -1;
        // Handed over again it may be; left out or out of order never.
        assert.ok(Number(n) <= last + 1, `${key}: ${n} after ${last}`);
        seen.set(key, Math.max(last, Number(n)));
        if (seen.size === keys && [...seen.values()].every((n) => n === each - 1))
          consumed.resolve();
      };
      const subscribed = log.subscribe({ topic: "t", group: "g" }, handle, stop.signal);
      let acknowledged = 0;
      const appendAll = async (key: string): Promise<void> => {
        for (let n = 0; n < each; n++) {
          await log.append("t", [record(key, `${key}/${n}`)]);
          acknowledged++;
        }
      };
      const appended = Promise.all(Array.from({ length: keys }, (_, n) => appendAll(`k${n}`)));
      for (let kill = 1; kill <= kills; kill++) {
        while (acknowledged < (kill * keys * each) / (kills + 1)) await sleep(5);
        process.kill(broker.processId, "SIGKILL");
        await broker.stop();
        broker = await startKafka(folder.path);
      }
      await appended;
      await Promise.race([consumed.promise, subscribed]);
      stop.abort();
      await subscribed;
      const positions = await log.positions("t");
      assert.equal(
        positions.reduce((sum, { end }) => sum + end, 0),
        keys * each,
      );
    } finally {
      await broker.stop();
    }
  },
);

test(
  "the records of a consumer that is killed go to the other one of its group",
  { skip, timeout: 60_000 },
  async () => {
    // A member that stalls for its session would get records again.
    await using log = open(kafka.url, "partitions=2", { sessionTimeoutMs: 15_000 });
    const keys = Array.from({ length: 20 }, (_, n) => `k${n}`);
    await log.append(
      "shared",
      keys.map((key) => record(key)),
    );
    const url = `${kafka.url}/${run}.?${single}&partitions=2`;
    const program = join(import.meta.dirname, "fixtures/hold-a-record.ts");
    const child = fork(program, [url, "shared", "g"]);
    const [held] = (await once(child, "message")) as [string];
    const seen: string[] = [];
    const stop = new AbortController();
    const all = Promise.withResolvers<void>();
    const handle = async ({ key }: LogRecord): Promise<void> => {
      seen.push(key);
      if (new Set(seen).size === keys.length) all.resolve();
    };
    const other = log.subscribe({ topic: "shared", group: "g" }, handle, stop.signal);
    child.kill("SIGKILL");
    await Promise.race([all.promise, other]);
    stop.abort();
    await other;
    assert.deepEqual(seen.toSorted(), keys.toSorted());
    assert.ok(seen.includes(held));
  },
);

test(
  "a handler that takes longer than the session keeps its partition, and nobody else gets its record",
  { skip, timeout: 60_000 },
  async () => {
    await using log = open(kafka.url, "partitions=1");
    await log.append("slow", [record("a"), record("b")]);
    const seen: string[] = [];
    const stop = new AbortController();
    const handle = async ({ key }: LogRecord): Promise<void> => {
      seen.push(key);
      if (key === "a") await sleep(deps.sessionTimeoutMs * 2);
      if (key === "b") stop.abort();
    };
    await log.subscribe({ topic: "slow", group: "g" }, handle, stop.signal);
    assert.deepEqual(seen, ["a", "b"]);
  },
);

test(
  "a broker that is absent is named with its address, and all goes on once it is there",
  { skip, timeout: 120_000 },
  async () => {
    using folder = temporaryFolder("kafka-absent");
    const before = await startKafka(folder.path);
    await before.stop();
    await using log = open(before.url, "partitions=1");
    const address = before.url.slice("kafka://".length);
    for (const call of [log.append("t", [record("a")]), log.positions("t"), log.topics()]) {
      await assert.rejects(call, {
        code: "UNAVAILABLE",
        reason: "LOG_UNAVAILABLE",
        message: new RegExp(`Kafka ${address} cannot be reached .* check that the brokers run`),
      });
    }
    const stop = new AbortController();
    const got = Promise.withResolvers<string>();
    const handle = async ({ key }: LogRecord): Promise<void> => got.resolve(key);
    const subscribed = log.subscribe({ topic: "t", group: "g" }, handle, stop.signal);
    await using _server = await startKafka(folder.path);
    await log.append("t", [record("b")]);
    assert.equal(await Promise.race([got.promise, subscribed]), "b");
    stop.abort();
    await subscribed;
  },
);

for (const [when, waitMs] of [
  ["before they are sent", 0],
  ["while they are sent", 500],
] as const) {
  test(
    `a log whose broker is gone closes all the same, and its appends say so: ${when}`,
    { skip, timeout: 60_000 },
    async () => {
      using folder = temporaryFolder("kafka-gone");
      const broker = await startKafka(folder.path);
      const log = open(broker.url, "partitions=1");
      await log.append("t", [record("a")]);
      process.kill(broker.processId, "SIGKILL");
      await broker.stop();
      const refused = ["b", "c"].map((key) =>
        assert.rejects(log.append("t", [record(key)]), { reason: "LOG_UNAVAILABLE" }),
      );
      await sleep(waitMs);
      const started = performance.now();
      await log[Symbol.asyncDispose]();
      await Promise.all(refused);
      assert.ok(performance.now() - started < 15_000);
      await assert.rejects(log.append("t", [record("d")]), { reason: "LOG_UNAVAILABLE" });
    },
  );
}
