import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { kafkaForTests } from "@heddle/servers";
import { Producer } from "@platformatic/kafka";
import { lettersIn } from "../bad-records.contract.ts";
import { type EventLog, type LogRecord, unreadableHeader } from "../port.ts";
import { openKafkaLog } from "./kafka-log.ts";
import { unpackedBytesMax } from "./reading/unpacking.ts";

// Batches that brokers take, for they are small there, and that would fill the memory of whoever unpacks them.
const kafka = await kafkaForTests();
const { skip } = kafka;
const prefix = `${Date.now().toString(36)}.`;
const open = (): EventLog =>
  openKafkaLog({
    url: `${kafka.url}/${prefix}?partitions=1&replicas=1&minInSyncReplicas=1`,
    ...{ clock: systemClock, random: () => 0.5, sessionTimeoutMs: 3_000 },
    backoff: { initialMs: 1, maxMs: 5, multiplier: 2, jitter: 0 },
  });
const record = (key: string) => ({ key, value: Buffer.from(key), headers: {} });
const [many, grown] = [24, Buffer.alloc(1 << 20)];
assert.ok(many * grown.length > unpackedBytesMax);

const shown = (all: readonly LogRecord[]) =>
  all.map(({ key, offset, headers }) => [offset, headers[unreadableHeader] ?? key]);

for (const compression of ["gzip", "snappy", "lz4", "zstd"] as const) {
  test(
    `a batch of ${compression} that grows beyond what may be unpacked is one record of no use, and those around it are read`,
    { skip, timeout: 120_000 },
    async () => {
      await using log = open();
      const topic = `grown-${compression}`;
      await log.append(topic, ["a", "b"].map(record));
      const bootstrapBrokers = [kafka.url.replace("kafka://", "")];
      const producer = new Producer({ clientId: "tests", bootstrapBrokers, compression });
      const message = { topic: `${prefix}${topic}`, partition: 0, value: grown };
      await producer.send({ messages: Array.from({ length: many }, () => message) });
      await log.append(topic, [record("c")]);
      await producer.send({ messages: [{ ...message, value: Buffer.alloc(many << 20) }] });
      await producer.close();
      await log.append(topic, [record("d")]);

      const why = (first: number, last: number): RegExp =>
        new RegExp(
          `^records ${first} to ${last} are a batch of \\d+ bytes that grows beyond 16777216 `,
        );
      const check = (all: readonly LogRecord[], from: number): void => {
        const expected = [
          ...([
            [0, "a"],
            [1, "b"],
            [25, why(2, 25)],
          ] as const),
          ...([
            [26, "c"],
            [27, why(27, 27)],
            [28, "d"],
          ] as const),
        ].filter(([offset]) => offset >= from);
        assert.deepEqual(
          all.map(({ offset }) => offset),
          expected.map(([offset]) => offset),
        );
        for (const [n, [, what]] of expected.entries()) {
          const said = String(shown(all)[n]?.[1]);
          if (what instanceof RegExp) assert.match(said, what);
          else assert.equal(said, what);
        }
      };
      const read: LogRecord[] = [];
      for (let at = 0; at < 29; at = (read.at(-1)?.offset ?? 28) + 1) {
        read.push(...(await log.read(topic, 0, at, 10)));
      }
      check(read, 0);
      // From within it.
      assert.equal((await log.read(topic, 0, 9, 1))[0]?.offset, 25);

      const stop = new AbortController();
      const seen: LogRecord[] = [];
      const handle = async (one: LogRecord): Promise<void> => {
        if (one.key === "") throw new Error("nobody can read it");
        seen.push(one);
        if (one.key === "d") stop.abort();
      };
      await log.subscribe({ topic, group: "g" }, handle, stop.signal);
      assert.deepEqual(shown(seen), [
        [0, "a"],
        [1, "b"],
        [26, "c"],
        [28, "d"],
      ]);
      const letters = await lettersIn(log, topic);
      assert.deepEqual(
        letters.map(({ headers }) => headers["dead_letter_offset"]),
        ["25", "27"],
      );
      assert.match(letters[0]?.headers[unreadableHeader] ?? "", why(2, 25));

      const followed: LogRecord[] = [];
      const enough = new AbortController();
      const follower = {
        begin: async () => [3],
        handle: async (_: number, some: readonly LogRecord[]) => {
          followed.push(...some);
          if (followed.at(-1)?.key === "d") enough.abort();
        },
      };
      await log.follow(topic, follower, enough.signal);
      check(followed, 3);
    },
  );
}
