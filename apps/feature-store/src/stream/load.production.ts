import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isHeddleError, systemClock } from "@heddle/base";
import type { EventLog } from "@heddle/eventlog";
import { openKafkaLog } from "@heddle/eventlog/kafka";
import { kafkaForTests, mongoForTests, startKafka } from "@heddle/servers";
import { openMongo, openMongoStore } from "@heddle/store";
import { startTcpProxy, temporaryFolder } from "@heddle/testkit";
import { clickEvents, clicks } from "../fixtures/clicks.ts";
import { idsHeld } from "../fixtures/ids-held.ts";
import { openWorld } from "../fixtures/world.ts";

const [kafka, mongo] = [await kafkaForTests(), await mongoForTests()];
const skip = kafka.skip || mongo.skip;
const topic = "heddle.ingest.clicks.v1";
const windowRecords = 200;
const [kills, sends, sendEvents, partitions] = [5, 60, 100, 2];
const encoder = new TextEncoder();

/** Sends until it is acknowledged: after a failure nobody knows, so events may lie in the log twice. */
async function sendAll(log: EventLog, events: readonly string[], sent: (n: number) => void) {
  for (let at = 0; at < events.length;) {
    const some = events.slice(at, at + sendEvents).map((json) => ({
      ...{ key: json, value: encoder.encode(json), headers: {} },
    }));
    try {
      await log.append(topic, some);
      sent((at += sendEvents));
    } catch (error) {
      if (!isHeddleError(error, "LOG_UNAVAILABLE")) throw error;
    }
  }
}

test(
  "with a broker that is killed five times and a store whose connections break, each acknowledged event is in the segments once",
  { skip, timeout: 400_000 },
  async () => {
    using folder = temporaryFolder("load");
    await using stack = new AsyncDisposableStack();
    let broker = await startKafka(folder.file("kafka"));
    stack.defer(() => broker.stop());
    const log = stack.use(
      openKafkaLog({
        url: `${broker.url}/?replicas=1&minInSyncReplicas=1&partitions=${partitions}`,
        ...{ clock: systemClock, random: Math.random, appendWithinMs: 5_000 },
      }),
    );
    const proxy = stack.use(await startTcpProxy(new URL(mongo.url)));
    const database = `load-${randomBytes(6).toString("hex")}`;
    const url = `mongodb://127.0.0.1:${proxy.port}/${database}?directConnection=true`;
    const connection = stack.use(await openMongo({ url, clock: systemClock, random: Math.random }));
    const documents = openMongoStore(connection, "feature-store");
    await using world = await openWorld(undefined, {}, log, documents);
    await world.apply({ ...clicks, stream: { windowRecords } });
    const held = () => idsHeld(world.featureStore, world.objects, folder.file("duckdb"));

    const events = clickEvents(sends * sendEvents);
    let acknowledged = 0;
    const sending = sendAll(log, events, (n) => (acknowledged = n));
    const over = new AbortController();
    const cutting = (async () => {
      for (let n = 0; !over.signal.aborted; n++) {
        proxy.cut();
        // Now and then there is time for a slow machine's work to end, too.
        const pauseMs = 150 * (1 + (n % 8));
        await sleep(pauseMs, undefined, { signal: over.signal }).catch(() => undefined);
      }
    })();
    try {
      for (let kill = 1; kill <= kills; kill++) {
        while (acknowledged < (kill * events.length) / (kills + 1)) await sleep(5);
        process.kill(broker.processId, "SIGKILL");
        await broker.stop();
        broker = await startKafka(folder.file("kafka"));
      }
      await sending;
      // What stands behind the last whole window is pushed into one by events that are known already.
      const filling = sendAll(log, events.slice(0, partitions * windowRecords), () => undefined);
      await filling;
      while ((await held()).length < events.length) await sleep(500);
    } finally {
      over.abort();
      await cutting;
    }
    assert.deepEqual(await held(), Array.from(events.keys()));
  },
);
