import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "@heddle/base";
import { Secret } from "@heddle/config";
import { kafkaForTests, type RunningKafka } from "@heddle/servers";
import { Admin, Consumer, Producer } from "@platformatic/kafka";
import type { EventLog } from "../port.ts";
import { openKafkaLog } from "./kafka-log.ts";

const kafka = await kafkaForTests();
const skip = kafka.skip;
const prefix = `${Date.now().toString(36)}.`;
const deps = { clock: systemClock, random: () => 0.5 };
const brokers = [kafka.url.replace("kafka://", "")];
const base = { clientId: "tests", bootstrapBrokers: brokers };

const open = (query: string, more: object = {}): EventLog =>
  openKafkaLog({ url: `${kafka.url}/${prefix}?${query}`, ...deps, ...more });
const single = "replicas=1&minInSyncReplicas=1&partitions=1";
const record = (key: string) => ({ key, value: new TextEncoder().encode(key), headers: {} });

test("a topic is made as the URL states", { skip }, async () => {
  await using log = open(
    "replicas=1&minInSyncReplicas=1&partitions=3&retentionHours=2&retentionBytes=1000000",
  );
  await log.append("stated", [record("a")]);
  assert.equal((await log.positions("stated")).length, 3);
  const admin = new Admin(base);
  const [described] = await admin.describeConfigs({
    resources: [{ resourceType: 2, resourceName: `${prefix}stated` }],
  });
  await admin.close();
  const config = new Map(described?.configs.map(({ name, value }) => [name, value]));
  assert.equal(config.get("retention.ms"), "7200000");
  assert.equal(config.get("retention.bytes"), "1000000");
  assert.equal(config.get("segment.bytes"), String(4 << 20), "what is beyond it can be removed");
  assert.equal(config.get("min.insync.replicas"), "1");
  assert.equal(config.get("message.timestamp.type"), "LogAppendTime");
});

test(
  "what is appended lies there compressed by zstd, of an idempotent producer, and outside of transactions",
  { skip },
  async () => {
    await using log = open(single);
    const value = new Uint8Array(100_000);
    await log.append("packed", [{ key: "k", value, headers: {} }]);
    const consumer = new Consumer({ ...base, groupId: "tests" });
    consumer.topics.track(`${prefix}packed`);
    const { topics } = await consumer.metadata({ topics: [`${prefix}packed`] });
    const { id: topicId, partitions } = topics.get(`${prefix}packed`) ?? assert.fail("no topic");
    const place = { partition: 0, currentLeaderEpoch: -1, lastFetchedEpoch: -1 };
    const { responses } = await consumer.fetch({
      node: partitions[0]?.leader ?? -1,
      topics: [
        { topicId, partitions: [{ ...place, fetchOffset: 0n, partitionMaxBytes: 1 << 20 }] },
      ],
    });
    await consumer.close(true);
    const batch = responses[0]?.partitions[0]?.records?.[0];
    assert.ok(batch !== undefined && batch.length < value.length / 100, `${batch?.length} bytes`);
    const [zstd, transactional] = [4, 1 << 4];
    assert.deepEqual([batch.attributes & 7, batch.attributes & transactional], [zstd, 0]);
    assert.ok(batch.producerId >= 0n && batch.firstSequence >= 0);
  },
);

test(
  "a topic that cannot be made or used as stated is refused with what to do",
  { skip },
  async () => {
    await using three = open("replicas=3&partitions=1");
    await assert.rejects(three.append("wide", [record("a")]), {
      code: "FAILED_PRECONDITION",
      reason: "TOPIC_UNSUITABLE",
      message: /topic \S+wide at Kafka \S+ cannot be made as stated .*as many brokers as replicas/,
    });
    const refused = async (name: string, query: string, config: object, problem: RegExp) => {
      const admin = new Admin(base);
      const configs = Object.entries(config).map(([name, value]) => ({
        name,
        value: String(value),
      }));
      await admin.createTopics({
        topics: [`${prefix}${name}`],
        partitions: 1,
        replicas: 1,
        configs,
      });
      await admin.close();
      await using log = open(query);
      await assert.rejects(log.append(name, [record("a")]), {
        reason: "TOPIC_UNSUITABLE",
        message: problem,
      });
      assert.deepEqual(await log.positions(name), [{ start: 0, end: 0 }]);
    };
    await refused(
      "few",
      "replicas=1&minInSyncReplicas=1&partitions=2",
      {},
      /1 partitions where 2 are stated/,
    );
    await refused(
      "lone",
      "replicas=2&minInSyncReplicas=1&partitions=1",
      {},
      /1 replicas where 2 are stated/,
    );
    await refused("small", single, { "max.message.bytes": 1_000 }, /batches of 1000 bytes/);
    await refused(
      "compacted",
      single,
      { "cleanup.policy": "compact", "max.message.bytes": 4 << 20 },
      /is compacted/,
    );
  },
);

test(
  "records of a transaction that is aborted are never read, and what it leaves in the offsets is passed over",
  { skip },
  async () => {
    await using log = open(single);
    await log.append("t", [record("a")]);
    const producer = new Producer({ ...base, idempotent: true, transactionalId: `${prefix}id` });
    for (const [key, commits] of [
      ["b", false],
      ["c", true],
      ["d", false],
    ] as const) {
      const transaction = await producer.beginTransaction();
      const value = Buffer.from(key);
      await transaction.send({
        messages: [{ topic: `${prefix}t`, key: value, value, partition: 0 }],
      });
      await (commits ? transaction.commit() : transaction.abort());
    }
    await producer.close();
    await log.append("t", [record("e")]);
    // The brokers write markers behind their answers: the last one may stand behind what was appended after it.
    while ((await log.positions("t"))[0]?.end !== 8) await sleep(20);
    const all = await log.read("t", 0, 0, 10);
    assert.deepEqual(
      all.map(({ key }) => key),
      ["a", "c", "e"],
    );
    assert.deepEqual([all[0]?.offset, all[1]?.offset], [0, 3]);
    assert.deepEqual(
      (await log.read("t", 0, 1, 1)).map(({ key }) => key),
      ["c"],
    );
    const seen: string[] = [];
    const stop = new AbortController();
    const handle = async ({ key }: { key: string }): Promise<void> => {
      if (seen.push(key) === 3) stop.abort();
    };
    await log.subscribe({ topic: "t", group: "g" }, handle, stop.signal);
    assert.deepEqual(seen, ["a", "c", "e"]);
  },
);

test(
  "a user without rights, or with a wrong password, is told so",
  { skip: skip || (kafka.running === undefined && "needs a Kafka of ours") },
  async () => {
    const { strangerUrl } = kafka.running as RunningKafka;
    await using owner = open(single);
    await owner.append("guarded", [record("a")]);
    for (const password of ["stranger-secret", "wrong"]) {
      await using log = openKafkaLog({
        ...{ url: `${strangerUrl}/${prefix}?${single}`, ...deps },
        user: { mechanism: "PLAIN", name: "stranger", password: () => new Secret(password) },
      });
      for (const call of [
        () => log.append("guarded", [record("b")]),
        () => log.read("guarded", 0, 0, 1),
        () =>
          log.subscribe(
            { topic: "guarded", group: "g" },
            async () => undefined,
            AbortSignal.timeout(20_000),
          ),
      ]) {
        await assert.rejects(call, (error: Error & { code?: string; reason?: string }) => {
          assert.deepEqual(
            [error.code, error.reason],
            ["PERMISSION_DENIED", "LOG_FORBIDDEN"],
            error.message,
          );
          assert.doesNotMatch(error.message, /stranger-secret|wrong/);
          return true;
        });
      }
    }
    assert.deepEqual(await owner.positions("guarded"), [{ start: 0, end: 1 }]);
  },
);
