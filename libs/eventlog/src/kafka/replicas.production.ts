import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type HeddleError, systemClock } from "@heddle/base";
import { kafkaForTests, startKafka } from "@heddle/servers";
import { temporaryFolder } from "@heddle/testkit";
import type { EventLog } from "../port.ts";
import { openKafkaLog } from "./kafka-log.ts";

// Two brokers, of which one goes.
const { running, skip: none } = await kafkaForTests();
const skip = running === undefined ? none || "needs a Kafka of ours" : false;
const folder = temporaryFolder("kafka-replicas");
after(() => folder[Symbol.dispose]());
const record = (key: string) => ({ key, value: new Uint8Array(1), headers: {} });

/** Brokers that have just started may keep an append waiting for longer than it may. */
async function untilAppended(log: EventLog, key: string): Promise<void> {
  for (;;) {
    const appended = await log.append("t", [record(key)]).then(
      () => true,
      () => false,
    );
    if (appended) return;
    await sleep(100);
  }
}

test(
  "a log whose replicas are too few is named while it is written, loses nothing, and takes records again once they are back",
  { skip, timeout: 240_000 },
  async () => {
    await using first = await startKafka(folder.file("first"));
    let second = await startKafka(folder.file("second"), {}, first);
    const brokers = [first, second].map(({ url }) => url.replace("kafka://", "")).join(",");
    await using log = openKafkaLog({
      url: `kafka://${brokers}/?replicas=2&minInSyncReplicas=2&partitions=1`,
      ...{ clock: systemClock, random: Math.random, appendWithinMs: 5_000 },
    });
    await untilAppended(log, "before");

    await second.stop();
    const refusals: HeddleError[] = [];
    while (!refusals.some(({ message }) => /too few replicas/.test(message))) {
      const error = await log.append("t", [record("meanwhile")]).then(
        () => undefined,
        (thrown: unknown) => thrown as HeddleError,
      );
      // Until the controller has noticed, the second broker counts as in sync, and an append may wait for it.
      if (error === undefined) continue;
      assert.deepEqual([error.code, error.reason], ["UNAVAILABLE", "LOG_UNAVAILABLE"]);
      refusals.push(error);
      assert.ok(refusals.length < 10, error.message);
    }
    assert.match(
      refusals.at(-1)?.message ?? "",
      /topic t at Kafka 127\.0\.0\.1:\d+, 127\.0\.0\.1:\d+ has too few replicas in sync: start the brokers that are down/,
    );

    second = await startKafka(folder.file("second"), {}, first);
    await using _second = second;
    await untilAppended(log, "after");
    const keys = (await log.read("t", 0, 0, 1_000)).map(({ key }) => key);
    assert.equal(keys[0], "before");
    assert.equal(keys.at(-1), "after");
  },
);
