import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isHeddleError } from "@heddle/base";
import { openObjects } from "@heddle/objects";
import { temporaryFolder } from "@heddle/testkit";
import { clickEvents, clicks, model, view } from "./fixtures/clicks.ts";
import { idsHeld } from "./fixtures/ids-held.ts";
import { clientOf, sharedServers, type StoreProcess } from "./fixtures/processes.ts";
import { call } from "./fixtures/world.ts";

const folder = temporaryFolder("two-stores");
after(() => folder[Symbol.dispose]());
const { skip, objectsOf, start } = await sharedServers(folder);
const [windowRecords, partitions, sendEvents] = [60, 2, 20];
const events = clickEvents(1_200);
const modelDefinitionJson = JSON.stringify(model);
type Client = StoreProcess["client"];

/** Sends until it is acknowledged, by whichever serves: one that dies leaves it open whether the log has them. */
async function sendAll(to: Client, all: readonly string[], sent: (n: number) => void) {
  for (let at = 0; at < all.length;) {
    try {
      const some = all.slice(at, at + sendEvents).map((json) => ({ json }));
      await to.appendEvents({ source: "clicks", events: some }, { timeoutMs: 20_000 });
      sent((at += sendEvents));
    } catch (error) {
      if (!isHeddleError(error) || error.code !== "UNAVAILABLE") throw error;
    }
  }
}

interface Click {
  readonly item: string;
  readonly timeMs: number;
}
const all: readonly Click[] = events.map((json) => {
  const { item, time } = JSON.parse(json) as { item: string; time: string };
  return { item, timeMs: Date.parse(time) };
});
const items = ["i0", "i1", "i2"];
/** Half a minute behind an event; each seventh is late. */
const momentAt = (n: number): number => (all[n]?.timeMs ?? 0) + 30_000;
const shownAt = (asOfMs: number): readonly number[] =>
  items.map((item) => all.filter((one) => one.item === item && one.timeMs <= asOfMs).length);

async function materialise(
  { client }: StoreProcess,
  asOfMs: number,
  timeoutMs = call.timeoutMs,
): Promise<void> {
  const asked = { requestId: `materialise/${asOfMs}`, asOfTimeMs: BigInt(asOfMs) };
  await client.materialise({ ...asked, modelDefinitionJson }, { timeoutMs });
}

/** What a store answers: of which moment, after it was found to be whole and of that moment; 0 while it knows of none that will do. */
async function momentOf({ client }: StoreProcess, notBeforeMs = 0): Promise<number> {
  const examplesJson = JSON.stringify(items.map((item) => ({ item, price: 1 })));
  try {
    const asked = { modelDefinitionJson, examplesJson, notBeforeTimeMs: BigInt(notBeforeMs) };
    const { rowsJson, asOfTimeMs } = await client.getOnlineFeatures(asked, call);
    const rows = JSON.parse(rowsJson) as { shown: number }[];
    const shown = rows.map((row) => row.shown);
    assert.deepEqual(shown, shownAt(Number(asOfTimeMs)), `as of ${asOfTimeMs}`);
    return Number(asOfTimeMs);
  } catch (error) {
    if (isHeddleError(error, "NOT_MATERIALISED")) return 0;
    throw error;
  }
}

async function untilAt(store: StoreProcess, asOfMs: number): Promise<void> {
  while ((await momentOf(store)) !== asOfMs) await sleep(10);
}

/** Asks a store again and again; fails on a moment that is not whole, and on one that is older than one before. */
function reader(store: StoreProcess) {
  const stop = new AbortController();
  const seen: number[] = [];
  const reading = (async () => {
    while (!stop.signal.aborted) {
      const moment = await momentOf(store);
      assert.ok(moment >= (seen.at(-1) ?? 0), `${moment} after ${seen.join(", ")}`);
      if (moment !== seen.at(-1)) seen.push(moment);
      await sleep(2);
    }
  })();
  reading.catch(() => undefined);
  return {
    seen,
    until: async (moment: number) => {
      while (seen.at(-1) !== moment) await Promise.race([reading, sleep(5)]);
    },
    end: async () => {
      stop.abort();
      await reading;
    },
  };
}

test(
  "of two feature stores on Kafka, MongoDB and S3, each killed in turn, events count once, and what one materialises both serve",
  { skip, timeout: 400_000 },
  async (t) => {
    writeFileSync(folder.file("pseudonym.key"), "the key of all");
    await using stack = new AsyncDisposableStack();
    let one = stack.use(await start("one"));
    let two = stack.use(await start("two"));
    const both = stack.use(clientOf([one, two]));
    for (const definition of [{ ...clicks, stream: { windowRecords } }, view]) {
      const definitionJson = JSON.stringify(definition);
      const requestId = `apply/${definitionJson}`;
      await one.client.applyDefinition({ requestId, definitionJson }, call);
    }

    await t.test("each event is in the segments once, and each window is cut once", async () => {
      let acknowledged = 0;
      const sending = sendAll(both, events, (n) => (acknowledged = n));
      sending.catch(() => undefined);
      const until = async (share: number): Promise<void> => {
        while (acknowledged < share * events.length) await Promise.race([sending, sleep(5)]);
      };
      await until(0.3);
      await one.kill();
      await until(0.4);
      one = stack.use(await start("one"));
      await until(0.6);
      await two.kill();
      await until(0.7);
      two = stack.use(await start("two"));
      await sending;
      // What stands behind the last whole window is pushed into one by events that are known already.
      await sendAll(both, events.slice(0, 4 * partitions * windowRecords), () => undefined);
      const objects = await openObjects(objectsOf("test"));
      const held = (from: StoreProcess) => idsHeld(from.client, objects, folder.file("duckdb"));
      while ((await held(one)).length < events.length) await sleep(200);
      for (const store of [one, two]) {
        assert.deepEqual(await held(store), Array.from(events.keys()));
        const { windows, problem } = await store.client.getStream({ source: "clicks" }, call);
        assert.equal(problem, "");
        const { segments } = await store.client.getSource({ source: "clicks" }, call);
        const names = segments.map(({ fileName }) => fileName);
        assert.deepEqual(
          names,
          names.map((_, n) => `window ${n}`),
        );
        assert.equal(windows, names.length);
      }
    });

    await t.test(
      "both answer whole moments, which never go back, whoever materialises",
      async () => {
        const moments = [200, 400, 600, 800, 1_001].map(momentAt);
        const readers = [one, two].map(reader);
        for (const [n, moment] of moments.entries()) {
          const [first, other] = n % 2 === 0 ? [one, two] : [two, one];
          // Now one alone, now both at once.
          await Promise.all(
            [first, ...(n > 2 ? [other] : [])].map((of) => materialise(of, moment)),
          );
          // Who says what it waits for reads it at once, whoever answers.
          assert.equal(await momentOf(other, moment), moment);
          for (const each of readers) await each.until(moment);
        }
        for (const each of readers) {
          await each.end();
          assert.deepEqual(each.seen.filter(Boolean), moments);
        }
      },
    );

    await t.test(
      "one that dies while it materialises leaves nothing half, and another finishes it",
      async () => {
        const moment = momentAt(1_100);
        const reading = reader(one);
        const dying = materialise(two, moment, 1_000).catch(() => undefined);
        await sleep(60);
        await two.kill();
        await dying;
        await materialise(one, moment);
        await reading.until(moment);
        await reading.end();
        two = stack.use(await start("two"));
        await untilAt(two, moment);
        await using three = await start("three");
        await untilAt(three, moment);
      },
    );

    await t.test("a third one that made a pseudonym key of its own is refused", async () => {
      const differs = { message: /another\.key.*PSEUDONYM_KEY_DIFFERS/s };
      await assert.rejects(start("stranger", "another.key"), differs);
    });
  },
);
