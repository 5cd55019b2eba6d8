import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { ingestTopicOf, lettersOf } from "@heddle/eventlog";
import { openKafkaLog } from "@heddle/eventlog/kafka";
import { kafkaForTests } from "@heddle/servers";
import { Producer } from "@platformatic/kafka";
import { clickEvents, clicks, untilCut, view, windows } from "../fixtures/clicks.ts";
import { garbage } from "../fixtures/garbage.ts";
import { openWorld } from "../fixtures/world.ts";

const kafka = await kafkaForTests();
const prefix = `${Date.now().toString(36)}.`;
const url = `${kafka.url}/${prefix}?replicas=1&minInSyncReplicas=1&partitions=1`;
const topic = ingestTopicOf("clicks");
const good = clickEvents(20).slice(0, 10);
/** What only other teams' producers can write: our own append refuses it. */
const foreign = [
  { value: Buffer.from(good[0]?.replace('"i0"', `"${"x".repeat(3 << 20)}"`) ?? "") },
  { key: Buffer.from("deleted") },
  { key: Buffer.from([0xff]), value: Buffer.from("{}") },
  // Some 24 KB on its way.
  { value: Buffer.alloc(24 << 20) },
];

test(
  "garbage and oversized records on a source's topic on Kafka are dead letters, each with its reason, and their window is cut",
  { skip: kafka.skip, timeout: 120_000 },
  async () => {
    await using log = openKafkaLog({ url, clock: systemClock, random: Math.random });
    const record = (value: string | Uint8Array) => ({
      ...{ key: "k", headers: {} },
      value: Buffer.from(value as string),
    });
    const values = garbage.map(([, value]) => value);
    await log.append(topic, [...good.slice(0, 5), ...values].map(record));
    const bootstrapBrokers = [kafka.url.replace("kafka://", "")];
    const producer = new Producer({ clientId: "tests", bootstrapBrokers, compression: "gzip" });
    for (const message of foreign) {
      await producer.send({ messages: [{ topic: `${prefix}${topic}`, partition: 0, ...message }] });
    }
    await producer.close();
    await log.append(topic, good.slice(5).map(record));

    const windowRecords = good.length + garbage.length + foreign.length;
    await using world = await openWorld(undefined, {}, log);
    await world.apply({ ...clicks, stream: { windowRecords } }, view);
    const { windows: cut, problem, refused } = await untilCut(world, windowRecords);
    assert.deepEqual([cut, problem], [1, ""], Object.keys(refused).join());
    assert.equal((await windows(world, 0, 0)).rows, good.length);
    // An event without an id or a time is found by the engine, after what is none at all.
    const letters = await log.read(lettersOf(topic), 0, 0, 1_000);
    const offsets = letters.map(({ headers }) => Number(headers["dead_letter_offset"]));
    const bad = Array.from({ length: garbage.length + foreign.length }, (_, n) => 5 + n);
    assert.deepEqual(
      offsets.toSorted((a, b) => a - b),
      bad,
    );
    for (const { headers } of letters) {
      assert.match(headers["dead_letter_reason"] ?? "", /^[A-Z_]+: ./);
    }
    const reasons = letters.map(({ headers }) => headers["dead_letter_reason"] ?? "");
    assert.ok(
      reasons.some((reason) => /^UNREADABLE_EVENT: records \d+ to \d+ are a batch/.test(reason)),
    );
    const large = letters.find(({ headers }) => headers["dead_letter_record_bytes"] !== undefined);
    assert.match(
      large?.headers["dead_letter_reason"] ?? "",
      /^RECORD_TOO_LARGE: it has 31\d+ bytes/,
    );
  },
);
