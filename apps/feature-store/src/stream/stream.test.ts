import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { openBackends, placesIn } from "@heddle/backends";
import { systemClock } from "@heddle/base";
import { sample, temporaryFolder } from "@heddle/testkit";
import {
  append,
  clickEvents,
  clicks,
  untilCut,
  untilStopped,
  view,
  windows,
} from "../fixtures/clicks.ts";
import { openRacing } from "../fixtures/racing.ts";
import { sales } from "../fixtures/shop.ts";
import { call, openWorld } from "../fixtures/world.ts";

/** 21 records, of which the first is none. */
const records = ["no event", ...clickEvents(20)];

async function undisturbed() {
  await using world = await openWorld();
  await world.apply(clicks, view);
  await append(world, records);
  await untilCut(world, 18);
  return await windows(world, 0, 2);
}
let expected: Awaited<ReturnType<typeof undisturbed>>;
before(async () => {
  expected = await undisturbed();
});

test("windows are fixed counts of records in offset order, whenever they come and whenever they are built", async () => {
  assert.deepEqual(expected.offsets, [
    [0, 6],
    [6, 12],
    [12, 18],
  ]);
  assert.equal(expected.rows, 17);
  await using world = await openWorld();
  await world.apply(clicks, view);
  await append(world, records.slice(0, 8), 3);
  await untilCut(world, 6);
  // Built while the later ones are not there: late events of theirs are not seen.
  const first = await windows(world, 0, 0);
  await append(world, records.slice(8), 1);
  await untilCut(world, 18);
  assert.deepEqual(await windows(world, 0, 2), expected);
  assert.equal((await windows(world, 0, 0)).dataset, first.dataset);
});

test("events that another team's producer puts on the log are cut, of a source that was applied while the store runs", async () => {
  await using world = await openWorld();
  await world.apply(clicks, view);
  const encoder = new TextEncoder();
  const put = records.map((json) => ({ key: json, value: encoder.encode(json), headers: {} }));
  await world.eventLog.append("heddle.ingest.clicks.v1", put);
  await untilCut(world, 18);
  assert.deepEqual(await windows(world, 0, 2), expected);
});

const deaths = [
  "after-dead-letters",
  "after-segment",
  "after-commit",
  "after-trim",
  "after-commit@2",
  "after-commit@3",
  "after-segment@3",
];
for (const step of sample(deaths, 2)) {
  test(`a death ${step} puts each record into one window, the same one`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "heddle-stream-"));
    try {
      const child = fork(join(import.meta.dirname, "../fixtures/cut-windows.ts"), [folder], {
        env: { ...process.env, HEDDLE_FAILPOINT: `feature-store.window.${step}` },
        stdio: "ignore",
      });
      const signal = await new Promise((resolve) =>
        child.once("exit", (_, signal) => resolve(signal)),
      );
      assert.equal(signal, "SIGKILL");
      await using world = await openWorld(folder);
      const stream = await untilCut(world, 18);
      assert.deepEqual(stream.refused, { UNREADABLE_EVENT: 1n });
      assert.deepEqual(await windows(world, 0, 2), expected);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test("a record that is no event is left out and counted, and stops nothing", async () => {
  await using world = await openWorld();
  await world.apply(clicks, view);
  const [first, , third] = clickEvents(3).map((json) => JSON.parse(json) as object);
  await append(world, [
    JSON.stringify(first),
    JSON.stringify(first),
    JSON.stringify({ ...third, time: new Date(world.clock.nowMs + 1_000) }),
    JSON.stringify({ ...third, price: "much" }),
    JSON.stringify({ ...third, secret: 1 }),
    String.raw`{"id": 4, "item": "\ud800"}`,
  ]);
  const { windows: cut, refused, refusedExample, problem } = await untilCut(world, 6);
  assert.deepEqual([cut, problem], [1, ""]);
  assert.match(refusedExample, /^partition 0, offset 3: WRONG_TYPE: .*column "price" is not /);
  assert.deepEqual(refused, {
    FUTURE_EVENT: 1n,
    WRONG_TYPE: 1n,
    UNKNOWN_COLUMN: 1n,
    UNREADABLE_EVENT: 1n,
  });
  assert.equal((await windows(world, 0, 0)).rows, 1);
});

test("records that hold no event make no window of their own: the next one begins with them", async () => {
  await using world = await openWorld();
  await world.apply(clicks, view);
  await append(world, [...Array.from({ length: 6 }, () => "{}"), ...clickEvents(6)]);
  const { windows: cut } = await untilCut(world, 12);
  assert.equal(cut, 1);
  assert.deepEqual((await windows(world, 0, 0)).offsets, [[0, 12]]);
});

test("a window that another process cuts meanwhile is not cut twice", async () => {
  await using documents = openRacing();
  await using world = await openWorld(undefined, {}, undefined, documents);
  await world.apply(clicks, view);
  await append(world, clickEvents(6));
  const { windows: cut, problem } = await untilCut(world, 6);
  assert.deepEqual([cut, problem], [1, ""]);
  const { segments } = await world.featureStore.getSource({ source: "clicks" }, call);
  assert.deepEqual(
    segments.map(({ events }) => events),
    [6n],
  );
});

test("what is cut leaves the log, and what waits is told", async () => {
  await using world = await openWorld();
  await world.apply(clicks, view);
  await append(world, clickEvents(8));
  await untilCut(world, 6);
  await append(world, clickEvents(9).slice(8));
  const stream = await world.featureStore.getStream({ source: "clicks" }, call);
  const [only] = stream.partitions;
  assert.deepEqual(
    [only?.startOffset, only?.cutOffset, only?.endOffset, stream.waitingSinceTimeMs],
    [6n, 6n, 9n, BigInt(world.clock.nowMs)],
  );
});

test("events that are too many, a source without a stream and a window that is not cut are refused", async () => {
  await using world = await openWorld(undefined, { waitingRecordsMax: 4 });
  await world.apply(clicks, view, sales);
  await append(world, clickEvents(5));
  await assert.rejects(append(world, clickEvents(13)), {
    code: "RESOURCE_EXHAUSTED",
    reason: "STREAM_BEHIND",
    message: /5 records wait/,
  });
  const { featureStore } = world;
  await assert.rejects(featureStore.appendEvents({ source: "clicks", events: [] }, call), {
    reason: "EVENTS_INVALID",
  });
  await assert.rejects(featureStore.getStream({ source: "sales" }, call), {
    reason: "NO_STREAM",
  });
  await append(world, clickEvents(7).slice(5));
  await untilCut(world, 6);
  await assert.rejects(windows(world, 0, 1), { reason: "WINDOW_NOT_CUT", message: /newest is 0/ });
});

test("a record that the log no longer holds stops the stream, by name", async () => {
  await using world = await openWorld();
  await world.apply(clicks, view);
  await append(world, clickEvents(4));
  await world.eventLog.trim("heddle.ingest.clicks.v1", 0, 3);
  await append(world, clickEvents(7).slice(4));
  const { problem, windows: cut } = await untilStopped(world);
  assert.match(problem, /offset 0 of topic heddle\.ingest\.clicks\.v1, partition 0/);
  assert.equal(cut, 0);
});

test("a topic that was made anew stops the stream, by name, and keeps what was appended to it", async () => {
  using folder = temporaryFolder("stream");
  {
    await using world = await openWorld(folder.path);
    await world.apply(clicks, view);
    await append(world, clickEvents(6));
    await untilCut(world, 6);
  }
  await using anew = await openBackends(placesIn(folder.file("anew")), {
    ...{ clock: systemClock, random: Math.random },
  });
  await using world = await openWorld(folder.path, {}, anew.eventLog);
  await append(world, clickEvents(11).slice(6));
  const { problem, windows: cut } = await untilStopped(world);
  assert.match(problem, /offset 6 of topic .* partition 0, is not in the log, which ends at 5/);
  assert.equal(cut, 1);
  const [held] = await anew.eventLog.positions("heddle.ingest.clicks.v1");
  assert.deepEqual([held?.start, held?.end], [0, 5]);
});
