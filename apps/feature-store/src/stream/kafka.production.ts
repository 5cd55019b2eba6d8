import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { openKafkaLog } from "@heddle/eventlog/kafka";
import { kafkaForTests } from "@heddle/servers";
import { append, clickEvents, clicks, untilCut, view, windows } from "../fixtures/clicks.ts";
import { openWorld, type World } from "../fixtures/world.ts";

const kafka = await kafkaForTests();
const { skip } = kafka;
const settings = "replicas=1&minInSyncReplicas=1&partitions=1";
const prefix = `${Date.now().toString(36)}.`;
const topic = "heddle.ingest.clicks.v1";
let logs = 0;
const openLog = () =>
  openKafkaLog({
    url: `${kafka.url}/${prefix}${(logs += 1)}.?${settings}`,
    ...{ clock: systemClock, random: Math.random },
  });
/** 21 records, of which the first is none. */
const records = ["no event", ...clickEvents(20)];

async function learnt(world: World) {
  await world.apply(clicks, view);
  await append(world, records, 4);
  await untilCut(world, 18);
  return await windows(world, 0, 2);
}

test(
  "windows of Kafka are those of the embedded log, row for row, and what is cut leaves it",
  { skip },
  async () => {
    await using embedded = await openWorld();
    const expected = await learnt(embedded);
    await using log = openLog();
    await using world = await openWorld(undefined, {}, log);
    assert.deepEqual(await learnt(world), expected);
    assert.deepEqual(await log.positions(topic), [{ start: 18, end: 21 }]);
    const [letter] = await log.read(`${topic}.dead-letter`, 0, 0, 10);
    assert.equal(letter?.headers["dead_letter_reason"], "UNREADABLE_EVENT: it is no JSON");
    assert.equal(letter.headers["dead_letter_offset"], "0");
  },
);

test("what the services did is told to anyone on Kafka, as CloudEvents", { skip }, async () => {
  await using log = openLog();
  await using world = await openWorld(undefined, {}, log);
  await world.apply(clicks);
  const stop = new AbortController();
  const types: string[] = [];
  await log.subscribe(
    { topic: "heddle.features.v1", group: "another-team" },
    async ({ key, headers }) => {
      types.push(`${headers["ce_type"]} of ${key}`);
      assert.equal(headers["ce_source"], "//heddle/feature-store");
      stop.abort();
    },
    stop.signal,
  );
  assert.equal(types.length, 1);
  assert.match(types[0] ?? "", /^heddle\..* of clicks$/);
});
