import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { HeddleError } from "@heddle/base";
import { type EventLog, onlineTopic } from "@heddle/eventlog";
import { temporaryFolder } from "@heddle/testkit";
import { openTestLog, openTestReplica } from "./fixtures/replicas.ts";

const row = (key: string, eventTimeMs: number, n: number) => ({ key, eventTimeMs, values: { n } });

/** The same log, away until it is told to be back. */
function away(log: EventLog): { readonly log: EventLog; back(): void } {
  let gone = true;
  const unlessGone = async (): Promise<void> => {
    if (gone) throw new HeddleError("UNAVAILABLE", "LOG_UNAVAILABLE", "the log is away");
  };
  return {
    back: () => (gone = false),
    log: {
      ...log,
      append: async (...of) => unlessGone().then(() => log.append(...of)),
      positions: async (...of) => unlessGone().then(() => log.positions(...of)),
      follow: async (topic, follower, signal) => {
        while (gone && !signal.aborted) await sleep(2);
        if (!signal.aborted) await log.follow(topic, follower, signal);
      },
    },
  };
}

test("while the log is away a replica that was whole answers, and one that was not says that it is behind", async () => {
  using folder = temporaryFolder("replicas");
  await using log = openTestLog(folder.path);
  {
    await using first = openTestReplica(log, folder.file("old"));
    await first.put("v", [row("a", 1, 1)]);
  }
  const outage = away(log);
  await using old = openTestReplica(outage.log, folder.file("old"));
  await using fresh = openTestReplica(outage.log, folder.file("fresh"), { getWithinMs: 20 });
  assert.deepEqual(await old.get("v", ["a"]), [row("a", 1, 1)]);
  await old.check();
  await assert.rejects(old.put("v", [row("a", 2, 2)]), { reason: "LOG_UNAVAILABLE" });
  const behind = { code: "UNAVAILABLE", reason: "ONLINE_REPLICA_BEHIND" };
  await assert.rejects(fresh.get("v", ["a"]), behind);
  await assert.rejects(fresh.check(), behind);
  outage.back();
  await old.put("v", [row("a", 3, 3)]);
  assert.deepEqual(await old.get("v", ["a"]), [row("a", 3, 3)]);
  await fresh.put("v", [row("b", 1, 1)]);
  assert.deepEqual(await fresh.get("v", ["a", "b"]), [row("a", 3, 3), row("b", 1, 1)]);
  await fresh.check();
});

test("a replica whose offset is gone from the log is lost, says what to do, and shows what it has", async () => {
  using folder = temporaryFolder("replicas");
  await using log = openTestLog(folder.path);
  {
    await using first = openTestReplica(log, folder.file("one"));
    await first.put("v", [row("a", 1, 1)]);
  }
  {
    await using other = openTestReplica(log, folder.file("other"));
    const rows = Array.from({ length: 60 }, (_, n) => row(`k${n}`, 1, n));
    await other.put("v", rows);
  }
  for (const [partition, { end }] of (await log.positions(onlineTopic)).entries()) {
    await log.trim(onlineTopic, partition, end - 1);
  }
  await using replica = openTestReplica(log, folder.file("one"));
  const lost = {
    code: "FAILED_PRECONDITION",
    reason: "ONLINE_REPLICA_LOST",
    message:
      /values in \S+one cannot go on: offset \d+ .* no longer in the log.*remove that folder/,
  };
  await assert.rejects(replica.put("v", [row("a", 2, 2)]), lost);
  await assert.rejects(replica.check(), lost);
  await assert.rejects(replica.clear("v"), lost);
  assert.deepEqual(await replica.get("v", ["a"]), [row("a", 1, 1)]);
});

test("a topic that was made anew is not taken for the one before", async () => {
  using folder = temporaryFolder("replicas");
  await using log = openTestLog(folder.path);
  {
    await using first = openTestReplica(log, folder.file("one"));
    await first.put("v", [row("a", 1, 1)]);
  }
  const renewed: EventLog = {
    ...log,
    follow: (topic, { begin, handle }, signal) =>
      log.follow(topic, { handle, begin: (now) => begin({ ...now, id: "another" }) }, signal),
  };
  await using replica = openTestReplica(renewed, folder.file("one"));
  await assert.rejects(replica.put("v", [row("a", 2, 2)]), {
    reason: "ONLINE_REPLICA_LOST",
    message: /removed and made anew/,
  });
  assert.deepEqual(await replica.get("v", ["a"]), [row("a", 1, 1)]);
});

test("a replica that is full says so, and a put that it cannot take", async () => {
  using folder = temporaryFolder("replicas");
  await using log = openTestLog(folder.path);
  await using small = openTestReplica(log, folder.file("small"), { mapBytesMax: 256 << 10 });
  const full = { code: "RESOURCE_EXHAUSTED", reason: "STORE_FULL" };
  const large = { text: "x".repeat(60_000) };
  const rows = Array.from({ length: 12 }, (_, n) => ({
    key: `k${n}`,
    eventTimeMs: 1,
    values: large,
  }));
  await assert.rejects(small.put("v", rows), full);
  await assert.rejects(small.check(), full);
  await using other = openTestReplica(log, folder.file("other"));
  assert.equal((await other.get("v", ["k11"]))[0]?.eventTimeMs, 1);
});
