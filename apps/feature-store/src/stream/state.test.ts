import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { type EventLog, openLocalLog } from "@heddle/eventlog";
import { openLmdbEnvironment } from "@heddle/store";
import { temporaryFolder } from "@heddle/testkit";
import { append, clickEvents, clicks } from "../fixtures/clicks.ts";
import { call, openWorld } from "../fixtures/world.ts";

test("a stream whose waiting records are cut and removed while it is looked at is told all the same", async () => {
  using folder = temporaryFolder("stream-state");
  const place = { path: folder.file("log"), mapBytesMax: 64 << 20 };
  await using environment = openLmdbEnvironment(place);
  const local = openLocalLog(environment, { clock: systemClock, random: () => 0.5 });
  let removing = false;
  const log: EventLog = {
    ...local,
    positions: async (topic) => {
      const positions = await local.positions(topic);
      for (const [partition, { end }] of positions.entries()) {
        if (removing) await local.trim(topic, partition, end);
      }
      return positions;
    },
  };
  await using world = await openWorld(undefined, {}, log);
  await world.apply(clicks);
  // Fewer than a window has.
  await append(world, clickEvents(3));
  const stream = () => world.featureStore.getStream({ source: clicks.name }, call);
  assert.notEqual((await stream()).waitingSinceTimeMs, 0n);
  removing = true;
  const { partitions, waitingSinceTimeMs } = await stream();
  assert.equal(
    partitions.reduce((sum, { endOffset }) => sum + endOffset, 0n),
    3n,
  );
  assert.equal(waitingSinceTimeMs, 0n);
});
