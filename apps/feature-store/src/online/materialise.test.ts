import assert from "node:assert/strict";
import { test } from "node:test";
import type { DatasetPlan } from "@heddle/feature-engine";
import { openLmdbOnline } from "@heddle/online";
import { openLmdbEnvironment } from "@heddle/store";
import { temporaryFolder } from "@heddle/testkit";
import { type Current, featuresName, partView, readCurrent } from "./materialise.ts";

// Of a plan only what names its features is looked at here.
const plan = { model: "m", examples: {}, partitioning: {}, features: [] } as unknown as DatasetPlan;
const features = featuresName(plan);
const moment = (asOfMs: number): Current => ({
  ...{ name: `at-${asOfMs}`, asOfMs, features, buckets: { part: 1 } },
});

test("values that are cleared while a request reads them are read again where they are current", async () => {
  using folder = temporaryFolder("materialise");
  await using environment = openLmdbEnvironment({ path: folder.path, mapBytesMax: 16 << 20 });
  const online = openLmdbOnline(environment);
  const write = async (current: Current): Promise<void> => {
    const { asOfMs: eventTimeMs } = current;
    await online.put(partView("m", current, "part"), [
      { key: "k", eventTimeMs, values: { at: eventTimeMs } },
    ]);
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
