import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { kafkaForTests } from "@heddle/servers";
import { Producer } from "@platformatic/kafka";
import { badRecordsContract, lettersIn } from "../bad-records.contract.ts";
import { saidUntilKilled } from "../fixtures/until-killed.ts";
import { type EventLog, type LogRecord, recordBytesMax } from "../port.ts";
import { openKafkaLog } from "./kafka-log.ts";

const kafka = await kafkaForTests();
const { skip } = kafka;
const run = Date.now().toString(36);
const backoff = { initialMs: 1, maxMs: 5, multiplier: 2, jitter: 0 };
const urlOf = (place: string): string =>
  `${kafka.url}/${run}.${place}.?partitions=1&replicas=1&minInSyncReplicas=1`;
const open = async (place: string): Promise<EventLog> =>
  openKafkaLog({
    ...{ url: urlOf(place), clock: systemClock, random: () => 0.5, backoff },
    sessionTimeoutMs: 3_000,
  });

badRecordsContract("kafka", open, { seed: 30, randomCases: 30, skip });

/** Consumes a topic up to the record "last"; every other one is refused. */
async function refuseAll(log: EventLog, topic: string): Promise<readonly LogRecord[]> {
  const seen: LogRecord[] = [];
  const stop = new AbortController();
  const handle = async (record: LogRecord): Promise<void> => {
    seen.push(record);
    if (record.key === "last") stop.abort();
    else throw new Error("no");
  };
  await log.subscribe({ topic, group: "g" }, handle, stop.signal);
  return seen;
}

/** A record as any producer may write it. */
interface Foreign {
  readonly key?: Buffer;
  readonly value?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

test(
  "what our own append would refuse, and other producers write, becomes a dead letter too",
  { skip, timeout: 60_000 },
  async () => {
    await using log = await open("foreign");
    // Makes the topic.
    await log.append("t", [{ key: "first", value: Buffer.from("x"), headers: {} }]);
    const foreign: readonly Foreign[] = [
      { value: Buffer.from("no key") },
      { key: Buffer.from("deleted") },
      { key: Buffer.from([0xff, 0xfe]), value: Buffer.from([0xff]) },
      { key: Buffer.from("large"), value: Buffer.alloc(5 << 20, "x"), headers: { ce_id: "x/1/0" } },
      { key: Buffer.from("heavy"), value: Buffer.from("x"), headers: { h: "x".repeat(1 << 21) } },
      { key: Buffer.from("last"), value: Buffer.from("x") },
    ];
    const bootstrapBrokers = [kafka.url.replace("kafka://", "")];
    const producer = new Producer({ clientId: "tests", bootstrapBrokers, compression: "gzip" });
    for (const { headers = {}, ...message } of foreign) {
      const encoded = Object.entries(headers).map(
        ([name, value]) => [Buffer.from(name), Buffer.from(value)] as const,
      );
      const place = { topic: `${run}.foreign.t`, partition: 0 };
      await producer.send({ messages: [{ ...place, headers: new Map(encoded), ...message }] });
    }
    await producer.close();
    const seen = await refuseAll(log, "t");
    assert.equal(seen.length, 3 * foreign.length + 1);

    const letters = await lettersIn(log, "t");
    const places = letters.map(({ headers }) => headers["dead_letter_offset"]);
    assert.deepEqual(places, ["0", "1", "2", "3", "4", "5"]);
    assert.deepEqual(
      letters.map(({ key }) => key),
      ["first", "", "deleted", "\ufffd\ufffd", "large", ""],
    );
    assert.equal(letters[2]?.value.length, 0);
    // Of what is too large for a record the letter has the beginning, and says how much there was.
    const [large, heavy] = letters.slice(4);
    assert.equal(large?.value.length, 64 << 10);
    assert.equal(large.headers["ce_id"], "x/1/0");
    assert.ok(Number(large.headers["dead_letter_record_bytes"]) > 5 << 20);
    assert.equal(heavy?.headers["h"], undefined);
    assert.ok(Number(heavy?.headers["dead_letter_record_bytes"]) > recordBytesMax);
  },
);

test(
  "a death between the dead letter and the offset buries the record twice, at one place, and leaves none out",
  { skip, timeout: 60_000 },
  async () => {
    const program = join(import.meta.dirname, "fixtures/refuse-a-record.ts");
    const told = await saidUntilKilled(program, urlOf("death"), "eventlog.subscribe.after-letter");
    assert.deepEqual(told, ["a", "bad", "bad", "bad"]);

    await using log = await open("death");
    await log.append("t", [{ key: "last", value: Buffer.from("x"), headers: {} }]);
    const seen = await refuseAll(log, "t");
    // Here "a" and "c" are refused as well.
    const keys = ["a", "bad", "c"].flatMap((key) => [key, key, key]);
    assert.deepEqual(
      seen.map(({ key }) => key),
      [...keys, "last"],
    );
    const letters = await lettersIn(log, "t");
    const placeOf = ({ headers }: LogRecord): string =>
      ["topic", "partition", "offset"].map((part) => headers[`dead_letter_${part}`]).join("/");
    assert.deepEqual(letters.map(placeOf), ["t/0/1", "t/0/0", "t/0/1", "t/0/2"]);
    // Counted by its place each record is there once.
    assert.deepEqual([...new Set(letters.map(placeOf))].sort(), ["t/0/0", "t/0/1", "t/0/2"]);
  },
);
