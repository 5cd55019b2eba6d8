import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type EventLog, type LogRecord, onlineTopic } from "@heddle/eventlog";
import { temporaryFolder } from "@heddle/testkit";
import type { OnlineValues } from "../port.ts";
import { materialise, readCurrent } from "./fixtures/materialise.ts";
import { compacted, openTestLog, openTestReplica, unevenly } from "./fixtures/replicas.ts";

const row = (key: string, eventTimeMs: number, n: number) => ({ key, eventTimeMs, values: { n } });

/** Two replicas of one log, the second of which gets its partitions unevenly. */
async function withTwo(
  body: (one: OnlineValues, other: OnlineValues, log: EventLog) => Promise<void>,
): Promise<void> {
  using folder = temporaryFolder("replicas");
  await using log = openTestLog(folder.path);
  await using one = openTestReplica(log, folder.file("one"));
  await using other = openTestReplica(unevenly(log, 3), folder.file("other"));
  await body(one, other, log);
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const late = AbortSignal.timeout(30_000);
  while (!(await done())) await sleep(2, undefined, { signal: late });
}

/** The last record of each key that the topic holds. */
async function lastRecords(log: EventLog): Promise<ReadonlyMap<string, LogRecord>> {
  const last = new Map<string, LogRecord>();
  for (const [partition] of (await log.positions(onlineTopic)).entries()) {
    for (const record of await log.read(onlineTopic, partition, 0, 10_000)) {
      last.set(record.key.replace("\0", "/"), record);
    }
  }
  return last;
}

test("what is put in one replica is read there at once, and in the other one when it has caught up", async () => {
  await withTwo(async (one, other) => {
    await one.put("v", [row("a", 1, 1), row("b", 1, 2)]);
    assert.deepEqual(await one.get("v", ["a", "b"]), [row("a", 1, 1), row("b", 1, 2)]);
    await other.catchUp();
    assert.deepEqual(await other.get("v", ["a", "b"]), [row("a", 1, 1), row("b", 1, 2)]);
    await other.put("v", [row("a", 2, 3)]);
    assert.deepEqual(await other.get("v", ["a"]), [row("a", 2, 3)]);
    await until(async () => (await one.get("v", ["a"]))[0]?.values["n"] === 3);
  });
});

test("a replica that has caught up with what the log held when it began is whole at once", async () => {
  using folder = temporaryFolder("replica-whole");
  await using log = openTestLog(folder.path);
  await using one = openTestReplica(log, folder.file("one"));
  await materialise(one, 1);
  for (let round = 0; round < 5; round++) {
    await using fresh = openTestReplica(log, folder.file(`fresh-${round}`));
    await fresh.catchUp();
    await fresh.check();
  }
});

test("no replica shows two moments at once, or a moment without its rows, however its partitions come", async () => {
  await withTwo(async (one, other) => {
    const moments = 15;
    let seen = 0;
    let reads = 0;
    const reading = (async () => {
      while (seen < moments) {
        const moment = await readCurrent(other);
        assert.ok(moment >= seen, `moment ${moment} after ${seen}`);
        seen = moment;
        reads += 1;
      }
    })();
    // The writer changes: what one has seen comes before what it writes, also when another wrote it.
    for (let moment = 1; moment <= moments; moment++) {
      const writer = moment % 2 === 0 ? other : one;
      if (writer === other) await until(async () => (await readCurrent(other)) === moment - 1);
      await materialise(writer, moment);
    }
    await reading;
    assert.ok(reads > moments);
  });
});

test("a row that comes to the log behind a newer one loses everywhere, and the log is told so", async () => {
  await withTwo(async (one, other, log) => {
    await Promise.all([one.put("v", [row("a", 9, 1)]), other.put("v", [row("a", 8, 2)])]);
    await one.put("v", [row("a", 7, 3)]);
    await until(async () => {
      const last = (await lastRecords(log)).get("v/a");
      return last?.headers["event_time_ms"] === "9";
    });
    for (const replica of [one, other]) {
      await until(async () => (await replica.get("v", ["a"]))[0]?.eventTimeMs === 9);
    }
  });
});

test("a view that is cleared is so on each replica, also for rows on their way, and the log forgets its rows", async () => {
  await withTwo(async (one, other, log) => {
    const keys = Array.from({ length: 400 }, (_, n) => `k${n}`);
    await one.put(
      "v",
      keys.map((key) => row(key, 5, 1)),
    );
    await Promise.all([one.clear("v"), other.put("v", [row("late", 1, 2)])]);
    await other.put("v", [row("k0", 1, 3)]);
    for (const replica of [one, other]) {
      await until(async () => (await replica.get("v", ["k0"]))[0]?.values["n"] === 3);
      assert.deepEqual(await replica.get("v", ["k1", "k399"]), [undefined, undefined]);
    }
    // Before the clearing or behind it, as it happened: the same for all.
    const [late] = await one.get("v", ["late"]);
    assert.deepEqual(await other.get("v", ["late"]), [late]);
    await until(async () => {
      const last = await lastRecords(log);
      const generationOf = (key: string) => last.get(key)?.headers["generation"];
      const removed = keys.slice(1).every((key) => last.get(`v/${key}`)?.value.length === 0);
      return removed && generationOf("v/k0") === "1" && generationOf("v/") === "1";
    });
  });
});

test("a row that is on its way while another replica clears its view is there when its put ends", async () => {
  using folder = temporaryFolder("replicas");
  await using log = openTestLog(folder.path);
  let gate = Promise.resolve();
  const asked = Promise.withResolvers<void>();
  const slow: EventLog = {
    ...log,
    append: async (...given) => {
      asked.resolve();
      await gate;
      await log.append(...given);
    },
  };
  await using one = openTestReplica(log, folder.file("one"));
  await using other = openTestReplica(slow, folder.file("other"));
  await one.put("v", [row("a", 1, 1)]);
  await until(async () => (await other.get("v", ["a"]))[0] !== undefined);
  const open = Promise.withResolvers<void>();
  gate = open.promise;
  const put = other.put("v", [row("late", 1, 2)]);
  await asked.promise;
  await one.clear("v");
  open.resolve();
  await put;
  assert.deepEqual(await other.get("v", ["a", "late"]), [undefined, row("late", 1, 2)]);
});

test("a replica that is new waits for nothing that compaction took", async () => {
  using folder = temporaryFolder("replicas");
  await using log = openTestLog(folder.path);
  await using old = openTestReplica(log, folder.file("old"));
  for (let moment = 1; moment <= 3; moment++) await materialise(old, moment);
  for (let time = 1; time <= 5; time++) {
    for (const key of ["a", "b", "c", "d"]) await old.put("v", [row(key, time, time)]);
  }
  await using fresh = openTestReplica(compacted(log), folder.file("fresh"));
  assert.equal(await readCurrent(fresh), 3);
  assert.deepEqual(await fresh.get("v", ["a", "d"]), [row("a", 5, 5), row("d", 5, 5)]);
  assert.deepEqual(await fresh.get("model/2/part", ["k0"]), [undefined]);
});

test("what is no change of ours goes to the dead letters with its reason, and its partition goes on", async () => {
  using folder = temporaryFolder("replicas");
  await using log = openTestLog(folder.path);
  const good = { after: "0,0,0", generation: "0", event_time_ms: "1" };
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const bad = [
    ["garbage", good, text("{}"), /its key is no view/],
    ["a view\0k", good, text("{}"), /a view's name has/],
    ["v\0k1", {}, text("{}"), /names no offsets of the 3 partitions/],
    ["v\0k2", { ...good, after: "0,0,0,0" }, text("{}"), /names no offsets of the 3 partitions/],
    ["v\0k3", { ...good, after: "9,9,9" }, text("{}"), /to come after itself/],
    ["v\0k4", { ...good, generation: "-1" }, text("{}"), /generation is no whole number/],
    ["v\0k5", { ...good, event_time_ms: "soon" }, text("{}"), /event time is no number/],
    ["v\0k6", good, text("[1]"), /no JSON object/],
    ["v\0k7", good, text("{"), /no JSON object/],
    ["v\0k8", good, text(`"${"x".repeat(70_000)}"`), /has 70002 bytes where a row has 65536/],
  ] as const;
  await log.append(
    onlineTopic,
    bad.map(([key, headers, value]) => ({ key, headers, value })),
  );
  // One that waits for records that nobody wrote, in another partition than its own.
  const [mine = -1] = await partitionsOf(log, "v\0k1");
  const after = [0, 1, 2].map((partition) => (partition === mine ? 0 : 1_000)).join();
  await log.append(onlineTopic, [{ key: "v\0k1", headers: { ...good, after }, value: text("{}") }]);
  await using replica = openTestReplica(log, folder.file("replica"));
  await replica.put("v", [row("k1", 1, 1)]);
  assert.deepEqual(await replica.get("v", ["k1", "k6"]), [row("k1", 1, 1), undefined]);
  const letters: LogRecord[] = [];
  for (const [partition] of (await log.positions(`${onlineTopic}.dead-letter`)).entries()) {
    letters.push(...(await log.read(`${onlineTopic}.dead-letter`, partition, 0, 100)));
  }
  assert.equal(letters.length, bad.length + 1);
  for (const [key, , , problem] of bad) {
    const reasons = letters.filter((each) => each.key === key).map(reasonOf);
    assert.ok(
      reasons.some((reason) => problem.test(reason)),
      `${key}: ${reasons.join("; ")}`,
    );
  }
  assert.ok(
    letters.some((letter) =>
      /ONLINE_RECORD_INVALID: .*after what the log lacks/.test(reasonOf(letter)),
    ),
  );
});

const reasonOf = ({ headers }: LogRecord): string => headers["dead_letter_reason"] ?? "";

/** The partitions that have records of a key. */
async function partitionsOf(log: EventLog, key: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const [partition] of (await log.positions(onlineTopic)).entries()) {
    const records = await log.read(onlineTopic, partition, 0, 10_000);
    if (records.some((record) => record.key === key)) found.push(partition);
  }
  return found;
}
