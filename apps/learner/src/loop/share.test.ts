import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import type { TrainingBatch } from "../data/rows.ts";
import { startStages } from "../meters/stages.ts";
import type { Network } from "../network.ts";
import type { Wire } from "../wire/wire.ts";
import { openShare } from "./share.ts";

test("a learner says at a cut what CPU it spent since the last one, once, however many micro-batches it has", async () => {
  const told: number[] = [];
  const push: Wire["push"] = async (_step, _ids, _gradients, _cut, notes) => {
    told.push(notes?.learnerCpuSeconds ?? 0);
  };
  const share = openShare({
    ...{ learner: "learner-1", microBatches: 4, own: [1, 3], stages: startStages(systemClock) },
    ...{ wire: { push } as Wire, network: {} as Network, cpuSeconds: () => 7 },
  });
  const batch = { rows: 2, ids: new BigUint64Array() } as TrainingBatch;
  const result = { loss: 0.5, gradients: { rows: {}, dense: {} } };
  const parts = [1, 3].map((number) => ({ number, batch, result }));
  await share.push(5, parts, false);
  await share.push(6, parts, true);
  assert.deepEqual(told, [0, 0, 7, 0]);
});
