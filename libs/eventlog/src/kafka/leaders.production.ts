import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "@heddle/base";
import { kafkaForTests, startKafka } from "@heddle/servers";
import { temporaryFolder } from "@heddle/testkit";
import { Admin } from "@platformatic/kafka";
import type { Follower, LogRecord } from "../port.ts";
import { openKafkaLog } from "./kafka-log.ts";

// Two brokers, each with replicas of all; the second one leads half of the partitions, and is killed.
const { running, skip: none } = await kafkaForTests();
const skip = running === undefined ? none || "needs a Kafka of ours" : false;
const folder = temporaryFolder("kafka-leaders");
after(() => folder[Symbol.dispose]());
const [partitions, keys, kills] = [4, 6, 2];
/** Groups have two replicas as well, and who is preferred leads again soon. */
const settings = {
  "offsets.topic.replication.factor": "2",
  "leader.imbalance.check.interval.seconds": "1",
  "leader.imbalance.per.broker.percentage": "0",
};

const placeOf = ({ value }: LogRecord): readonly [key: string, n: number] => {
  const [key = "", n = ""] = new TextDecoder().decode(value).split("/");
  return [key, Number(n)];
};

/** What comes of each key: the next one, or again one that was there. */
function ordered() {
  const last = new Map<string, number>();
  return {
    take: (record: LogRecord, again: boolean): void => {
      const [key, n] = placeOf(record);
      const before = last.get(key) ?? -1;
      assert.ok(again ? n <= before + 1 : n === before + 1, `${key}: ${n} after ${before}`);
      last.set(key, Math.max(before, n));
    },
    count: (): number => [...last.values()].reduce((sum, n) => sum + n + 1, 0),
  };
}

test(
  "leaders that are killed and come back while a log is written, consumed and followed: nothing is lost, doubled or out of order",
  { skip, timeout: 300_000 },
  async () => {
    await using first = await startKafka(folder.file("first"), settings);
    let second = await startKafka(folder.file("second"), settings, first);
    await using _second = { [Symbol.asyncDispose]: () => second.stop() };
    const brokers = [first, second].map(({ url }) => url.replace("kafka://", ""));
    await using log = openKafkaLog({
      url: `kafka://${brokers.join(",")}/?replicas=2&minInSyncReplicas=1&partitions=${partitions}`,
      ...{ clock: systemClock, random: () => 0.5, sessionTimeoutMs: 3_000, appendWithinMs: 60_000 },
      backoff: { initialMs: 50, maxMs: 500, multiplier: 2, jitter: 0 },
    });
    const admin = new Admin({ clientId: "tests", bootstrapBrokers: brokers.slice(0, 1) });
    await using _admin = { [Symbol.asyncDispose]: () => admin.close() };
    const ledBySecond = async (): Promise<number> => {
      const { topics } = await admin.metadata({ topics: ["t"], forceUpdate: true });
      const all = topics.get("t")?.partitions ?? [];
      return all.filter(({ leader, isr }) => leader === 2 && isr.length === 2).length;
    };

    const [consumed, followed] = [ordered(), ordered()];
    const stop = new AbortController();
    const offsets: number[] = Array.from({ length: partitions }, () => 0);
    const follower: Follower = {
      begin: async () => offsets,
      handle: async (partition, records) => {
        for (const record of records) followed.take(record, false);
        offsets[partition] = (records.at(-1)?.offset ?? -1) + 1;
      },
    };
    let acknowledged = 0;
    const loaded = new AbortController();
    const appendAll = async (key: string): Promise<void> => {
      for (let n = 0; !loaded.signal.aborted; n++) {
        const value = new TextEncoder().encode(`${key}/${n}`);
        await log.append("t", [{ key, value, headers: {} }]);
        acknowledged++;
      }
    };
    const appended = Promise.all(Array.from({ length: keys }, (_, n) => appendAll(`k${n}`)));
    const consuming = [
      log.subscribe(
        { topic: "t", group: "g" },
        async (one) => consumed.take(one, true),
        stop.signal,
      ),
      log.follow("t", follower, stop.signal),
    ];
    for (const one of [appended, ...consuming]) one.catch(() => undefined);
    const more = async (): Promise<void> => {
      const before = acknowledged;
      while (acknowledged < before + 100) await Promise.race([sleep(20), appended, ...consuming]);
    };
    for (let kill = 1; kill <= kills; kill++) {
      while ((await ledBySecond()) === 0) await sleep(100);
      await more();
      process.kill(second.processId, "SIGKILL");
      await second.stop();
      // The first one leads all, and takes records alone.
      await more();
      second = await startKafka(folder.file("second"), settings, first);
    }
    await more();
    loaded.abort();
    await appended;
    while (Math.min(consumed.count(), followed.count()) < acknowledged) {
      await Promise.race([sleep(20), ...consuming]);
    }
    stop.abort();
    await Promise.all(consuming);
    const held = await log.positions("t");
    assert.equal(
      held.reduce((sum, { end }) => sum + end, 0),
      acknowledged,
    );
  },
);
