import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Clock, HeddleError } from "@heddle/base";
import type { EventLog } from "@heddle/eventlog";
import { temporaryFolder } from "@heddle/testkit";
import { openTestLog, openTestReplica } from "./fixtures/replicas.ts";
import { watchLag } from "./lag.ts";

const row = (key: string, eventTimeMs: number, n: number) => ({ key, eventTimeMs, values: { n } });

/** The same log, whose followers get nothing while it is held up. */
function heldUp(log: EventLog): { readonly log: EventLog; hold(): void; release(): void } {
  let held = Promise.withResolvers<void>();
  held.resolve();
  return {
    hold: () => (held = Promise.withResolvers()),
    release: () => held.resolve(),
    log: {
      ...log,
      follow: (topic, { begin, handle }, signal) =>
        log.follow(
          topic,
          { begin, handle: (...of) => held.promise.then(() => handle(...of)) },
          signal,
        ),
    },
  };
}

test("a replica that does not keep up says by how much, answers what it has, and is well again when it has all", async () => {
  using folder = temporaryFolder("replicas");
  await using log = openTestLog(folder.path);
  await using writer = openTestReplica(log, folder.file("writer"));
  const slow = heldUp(log);
  await using reader = openTestReplica(slow.log, folder.file("reader"), { lagMsMax: 300 });
  await writer.put("v", [row("a", 1, 1)]);
  while ((await reader.get("v", ["a"]))[0] === undefined) await sleep(2);
  // What was asked before the row came may still be unanswered.
  while (reader.lagMs() > 150) await sleep(2);
  await reader.check();

  slow.hold();
  await writer.put("v", [row("a", 2, 2)]);
  while (reader.lagMs() <= 300) await sleep(5);
  await assert.rejects(reader.check(), {
    code: "UNAVAILABLE",
    reason: "ONLINE_REPLICA_LAGS",
    message: /lack what others put in the last \d+ s: .*it is at \d, \d, \d/,
  });
  assert.deepEqual(await reader.get("v", ["a"]), [row("a", 1, 1)]);
  while (writer.lagMs() >= reader.lagMs()) await sleep(2);
  await writer.check();

  await using hurried = openTestReplica(slow.log, folder.file("hurried"), { getWithinMs: 50 });
  await assert.rejects(hurried.catchUp(), { code: "UNAVAILABLE", reason: "ONLINE_REPLICA_LAGS" });
  const caughtUp = reader.catchUp();
  slow.release();
  await caughtUp;
  assert.deepEqual(await reader.get("v", ["a"]), [row("a", 2, 2)]);
  while (reader.lagMs() > 300) await sleep(5);
  await reader.check();
});

test("the lag is that of the last question which came true, and grows while the log is away", async () => {
  let now = 1_000;
  const turn = (): Promise<void> => sleep(0);
  const asked: PromiseWithResolvers<void>[] = [];
  const caughtUp = (): Promise<void> => {
    const question = Promise.withResolvers<void>();
    asked.push(question);
    return question.promise;
  };
  const clock: Clock = { now: () => 0, monotonicMs: () => now, sleep: turn };
  const closing = new AbortController();
  const lag = watchLag(caughtUp, clock, 1, closing.signal);
  now += 400;
  assert.equal(lag.ms(), 400);
  asked[0]?.resolve();
  while (asked.length < 2) await turn();
  assert.equal(lag.ms(), 400, "what came since the question may be missing");
  now += 50;
  asked[1]?.resolve();
  while (asked.length < 3) await turn();
  assert.equal(lag.ms(), 50);
  now += 1_000;
  asked[2]?.reject(new HeddleError("UNAVAILABLE", "LOG_UNAVAILABLE", "away"));
  while (asked.length < 4) await turn();
  assert.equal(lag.ms(), 1_050);
  closing.abort();
  await lag.watching;
});
