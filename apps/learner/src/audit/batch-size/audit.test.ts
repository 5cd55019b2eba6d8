import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { openExecutor } from "@heddle/executor";
import type { ModelDefinition, Optimizer } from "@heddle/sdk";
import { localExamples } from "../../data/examples.ts";
import { tinyDefinition } from "../../fixtures/data.ts";
import { moduleDefinition } from "../../fixtures/module.ts";
import { noisyReader } from "../../fixtures/noisy.ts";
import { startStages } from "../../meters/stages.ts";
import { auditBatchSize, type BatchSizeAudit, type BatchSizeOptions } from "./audit.ts";
import { readRows } from "./rows.ts";

const { signal } = new AbortController();
const rows = 4_000;
const partitions = [{ partition: "1", object: "", sha256: "", rows }];
const meter = {
  seconds: () => performance.now() / 1000,
  cpuSeconds: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
  residentBytes: () => process.memoryUsage.rss(),
};

async function audit(
  definition: ModelDefinition,
  change: Partial<BatchSizeOptions> = {},
): Promise<BatchSizeAudit> {
  const { inputs } = definition;
  const { batchSize, seed } = definition.training;
  const examples = localExamples(noisyReader(rows), partitions);
  const plan = { inputs, fit: await examples.fit(inputs, signal), batchSize, seed };
  const from = { partition: 0, batch: 0 };
  const source = examples.batches(plan, from, startStages(systemClock));
  return auditBatchSize(
    {
      definition,
      executor: await openExecutor({ kind: "auto" }),
      rows: await readRows(source, rows, signal),
      ...{ sizes: [16, 800], rates: "keep", per: "cpu-second", tolerance: 0.02, within: 0.05 },
      ...{ rounds: 3, residentBytesMax: Infinity, meter, replicates: 200, seed: 1 },
      ...change,
    },
    signal,
  );
}

const adagrad = (rate: number): Optimizer => ({
  kind: "adagrad",
  ...{ embeddingRate: rate, denseRate: rate / 2, initialAccumulator: 0.1 },
});
const sizeOf = ({ sizes }: BatchSizeAudit, size: number) =>
  sizes.find(({ batchSize }) => batchSize === size);

test("the fastest size is not chosen when it harms quality", async () => {
  const found = await audit(tinyDefinition({ optimizer: adagrad(0.1), batchSize: 16 }));
  const [own, large] = [sizeOf(found, 16), sizeOf(found, 800)];
  const text = JSON.stringify(found, null, 1);
  assert.ok((large?.perCpuSecond?.low ?? 0) > (own?.perCpuSecond?.high ?? Infinity), text);
  assert.equal(large?.verdict, "worse", text);
  assert.deepEqual([found.chosen, found.change], [16, {}]);
  assert.deepEqual([own?.steps, large?.steps, found.heldOutRows], [200, 4, 800]);
});

test("the fastest size is chosen when it costs no quality, with what the definition has to say then", async () => {
  const definition = tinyDefinition({ optimizer: adagrad(0.4), batchSize: 16, snapshotSteps: 8 });
  const found = await audit(definition, { sizes: [16, 64] });
  assert.equal(sizeOf(found, 64)?.verdict, "as-good", JSON.stringify(found, null, 1));
  assert.equal(found.chosen, 64);
  assert.deepEqual(found.change, { batchSize: 64, snapshotSteps: 2 });
  assert.ok((sizeOf(found, 64)?.residentBytes ?? 0) > 1 << 20);
});

test("learning rates grow with the batch only where that was asked for, and then the change says so", async () => {
  const definition = tinyDefinition({ optimizer: adagrad(0.1), batchSize: 16, snapshotSteps: 1 });
  const found = await audit(definition, { sizes: [256], rates: "linear" });
  assert.equal(sizeOf(found, 256)?.verdict, "as-good", JSON.stringify(found, null, 1));
  const optimizer = adagrad(1.6);
  assert.deepEqual(found.change, { batchSize: 256, optimizer });
  const kept = await audit(definition, { sizes: [256] });
  assert.equal(sizeOf(kept, 256)?.verdict, "worse");
});

test("a long-term and a short-term model are audited as the one that they serve as, each with its rates", async () => {
  const definition: ModelDefinition = {
    ...tinyDefinition({ optimizer: adagrad(0.4), batchSize: 16 }),
    shortTerm: { optimizer: adagrad(0.2) },
  };
  const { sizes, change } = await audit(definition, { sizes: [64, 800], rates: "root" });
  assert.deepEqual(
    sizes.map(({ verdict }) => verdict),
    ["baseline", "as-good", "worse"],
    JSON.stringify(sizes, null, 1),
  );
  assert.deepEqual(change.optimizer, adagrad(0.8));
  assert.deepEqual(change.shortTerm, { optimizer: adagrad(0.4) });
});

test("a network of the model's own is audited like one of ours", async () => {
  const { sizes } = await audit(moduleDefinition({ optimizer: adagrad(0.4), batchSize: 16 }));
  assert.deepEqual(
    sizes.map(({ verdict }) => verdict),
    ["baseline", "worse"],
    JSON.stringify(sizes, null, 1),
  );
});

const momentum = (rate: number): Optimizer => ({
  kind: "separate",
  embeddings: { kind: "momentum", rate, momentum: 0.9 },
  dense: { kind: "momentum", rate, momentum: 0.9 },
});

test("a size that diverges is said to and not chosen; a definition that does is refused", async () => {
  const definition: ModelDefinition = {
    ...tinyDefinition({ optimizer: momentum(0.04), batchSize: 4 }),
    architecture: { kind: "dcn-v2", dimension: 3, crossLayers: 4, hidden: [] },
  };
  const found = await audit(definition, { sizes: [128], rates: "linear", rounds: 1 });
  assert.deepEqual(sizeOf(found, 128), { batchSize: 128, verdict: "diverged" });
  assert.equal(found.chosen, 4);
  const wild = tinyDefinition({ optimizer: momentum(1e30), batchSize: 16 });
  await assert.rejects(audit(wild, { sizes: [64] }), {
    code: "FAILED_PRECONDITION",
    reason: "BASELINE_DIVERGED",
    message: /its own batch size 16.*lower its learning rates/,
  });
});

test("sizes above all partitions, and those that would need more memory than there is, are not tried, with the reason", async () => {
  const definition = tinyDefinition({ batchSize: 16 });
  let resident = 0;
  // As if each training needed 1 MiB more than the one before.
  const growing = { ...meter, seconds: () => (resident += 2 ** 19), residentBytes: () => resident };
  const { sizes, notTried } = await audit(definition, {
    ...{ sizes: [32, 64, 128, 4_000], rounds: 1, residentBytesMax: 3 * 2 ** 20, meter: growing },
  });
  assert.deepEqual(
    sizes.map(({ batchSize }) => batchSize),
    [16, 32],
  );
  assert.deepEqual(
    notTried.map(({ batchSize, why }) => [batchSize, why.slice(0, 38)]),
    [
      [64, "it would need about 4 MiB of memory, a"],
      [128, "it would need about 8 MiB of memory, a"],
      [4_000, "the largest partition has 3200 rows to"],
    ],
  );
});

test("a dataset of which no row can be held out is refused", async () => {
  await assert.rejects(audit(tinyDefinition(), { rows: [] }), {
    code: "FAILED_PRECONDITION",
    reason: "TOO_FEW_ROWS",
  });
});
