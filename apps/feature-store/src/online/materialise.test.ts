import assert from "node:assert/strict";
import { test } from "node:test";
import type { DatasetPlan } from "@heddle/feature-engine";
import { type OnlineValues, openLmdbOnline } from "@heddle/online";
import { openLmdbEnvironment } from "@heddle/store";
import { temporaryFolder } from "@heddle/testkit";
import { type Current, featuresName, partView, point, readCurrent } from "./materialise.ts";

// Of a plan only what names its features is looked at here.
const plan = { model: "m", examples: {}, partitioning: {}, features: [] } as unknown as DatasetPlan;
const features = featuresName(plan);
const moment = (asOfMs: number): Current => ({
  ...{ name: `at-${asOfMs}`, asOfMs, features, buckets: { part: 1 } },
});

async function putRow(online: OnlineValues, current: Current): Promise<void> {
  const { asOfMs: eventTimeMs } = current;
  const row = { key: "k", eventTimeMs, values: { at: eventTimeMs } };
  await online.put(partView("m", current, "part"), [row]);
}

test("values of an older moment that come late are led to by nothing, and are not kept", async () => {
  using folder = temporaryFolder("materialise");
  await using environment = openLmdbEnvironment({ path: folder.path, mapBytesMax: 16 << 20 });
  const online = openLmdbOnline(environment);
  const kept = async (): Promise<readonly unknown[]> => {
    const moments = [1, 2, 3].map(moment);
    const rows = await Promise.all(
      moments.map((one) => online.get(partView("m", one, "part"), ["k"])),
    );
    const current = await readCurrent(plan, online, async ({ asOfMs }) => asOfMs);
    return [current, ...rows.flat().map((row) => row?.values["at"])];
  };
  for (const asOfMs of [2, 1]) {
    await putRow(online, moment(asOfMs));
    await point("m", moment(asOfMs), online);
    assert.deepEqual(await kept(), [2, undefined, 2, undefined]);
  }
  const late = readCurrent(plan, online, async ({ asOfMs }) => asOfMs, 3);
  await assert.rejects(late, {
    reason: "NOT_MATERIALISED",
    message: /as of 1970-01-01T00:00:00\.002Z, and wanted as of 1970-01-01T00:00:00\.003Z or later/,
  });
  await putRow(online, moment(3));
  await point("m", moment(3), online);
  assert.deepEqual(await kept(), [3, undefined, undefined, 3]);
});

test("values that are cleared while a request reads them are read again where they are current", async () => {
  using folder = temporaryFolder("materialise");
  await using environment = openLmdbEnvironment({ path: folder.path, mapBytesMax: 16 << 20 });
  const online = openLmdbOnline(environment);
  const write = async (current: Current): Promise<void> => {
    const { asOfMs: eventTimeMs } = current;
    await putRow(online, current);
    await online.put("materialisations", [{ key: "m", eventTimeMs, values: { ...current } }]);
  };
  await write(moment(1));
  let reads = 0;
  const answer = await readCurrent(plan, online, async (current) => {
    reads += 1;
    if (reads === 1) {
      await write(moment(2));
      await online.clear(partView("m", current, "part"));
    }
    const [row] = await online.get(partView("m", current, "part"), ["k"]);
    if (row === undefined) throw new Error("nothing there");
    return row.values["at"];
  });
  assert.deepEqual([answer, reads], [2, 2]);
  const failing = readCurrent(plan, online, () => Promise.reject(new Error("its own failure")));
  await assert.rejects(failing, /its own failure/);
});
