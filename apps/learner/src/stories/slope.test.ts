import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { temporaryFolder } from "@heddle/testkit";
import { tinyDefinition } from "../fixtures/data.ts";
import { exposeCollector, weighAll } from "../fixtures/weighed.ts";
import { train } from "../loop/loop.ts";
import type { Network } from "../network.ts";
import { startStages } from "../meters/stages.ts";
import { openComputeThread } from "../threads/compute-thread.ts";
import { openDataThread } from "../threads/data-thread.ts";
import type { Wire } from "../wire/wire.ts";
import { beginning } from "../loop/progress.ts";

const [warmUpSteps, steps] = [800, 3_800];
const stepsOfPartition = 50;
const bytesPerStepMax = 256;

const dataProgram = new URL("../fixtures/weighed-data-program.ts", import.meta.url);
const computeProgram = new URL("../fixtures/weighed-compute-program.ts", import.meta.url);

/** Answers pulls with rows and takes pushes, keeping nothing. */
function forgetfulWire({
  tables,
  dense,
}: Network): Pick<Wire, "pull" | "release" | "push" | "usage"> {
  return {
    pull: async (_step, ids) => ({
      rows: Object.fromEntries(
        tables.map((t) => [t.name, new Float32Array(ids.length * t.dimension).fill(0.01)]),
      ),
      dense: Object.fromEntries(dense.map(({ name, initial }) => [name, initial.slice()])),
    }),
    release: () => undefined,
    push: () => new Promise((applied) => setImmediate(applied)),
    usage: async () => ({ step: 0, cpuSeconds: 0, lossSum: 0 }),
  };
}

test("memory does not grow with steps, on any thread", async () => {
  exposeCollector();
  using folder = temporaryFolder("slope");
  const objects = folder.path;
  const reading = { objects, readerMemoryBytesMax: 1 << 20 };
  await using data = openDataThread(reading, () => undefined, dataProgram);
  await using compute = await openComputeThread(
    { executor: { kind: "auto" }, objects },
    computeProgram,
  );
  const { inputs, training } = tinyDefinition();
  const { batchSize, seed } = training;
  const rows = stepsOfPartition * batchSize;
  const partitions = Array.from({ length: steps / stepsOfPartition }, (_, n) => ({
    ...{ partition: String(n), rows, object: "", sha256: "" },
  }));
  const { signal } = new AbortController();
  const examples = data.examples([], partitions);
  const fit = await examples.fit(inputs, signal);
  const stages = startStages(systemClock);
  const batches = examples.batches({ inputs, fit, batchSize, seed }, beginning.cursor, stages);
  await using network = await compute.open(tinyDefinition());
  const weighed: number[] = [];
  const weigh = async () => {
    // The first time, weighing itself is loaded.
    await weighAll(2);
    weighed.push(await weighAll(2));
  };
  const end = await train(
    {
      ...{ learner: "job", network, batches, stages, lag: 1, snapshotSteps: steps },
      ...{ microBatches: 1, own: [0] },
      wire: forgetfulWire(network) as Wire,
      aroundStep: async (step, run) => {
        if (step === warmUpSteps) await weigh();
        return run();
      },
      onStep: () => undefined,
      onCut: async () => undefined,
    },
    beginning,
    signal,
  );
  await weigh();
  assert.equal(end.step, steps);
  const [before = 0, after = Infinity] = weighed;
  const slope = (after - before) / (steps - warmUpSteps);
  assert.ok(slope < bytesPerStepMax, `${slope} bytes a step`);
});
