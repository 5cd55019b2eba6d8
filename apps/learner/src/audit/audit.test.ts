import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { openExecutor } from "@heddle/executor";
import type { ModelDefinition, Optimizer } from "@heddle/sdk";
import { localExamples } from "../data/examples.ts";
import { tinyDefinition } from "../fixtures/data.ts";
import { moduleDefinition } from "../fixtures/module.ts";
import { noisyReader } from "../fixtures/noisy.ts";
import { startStages } from "../meters/stages.ts";
import { auditSpeed, type SpeedAudit } from "./audit.ts";

const { signal } = new AbortController();
const rows = 4_000;
const partitions = [{ partition: "1", object: "", sha256: "", rows }];

const reader = noisyReader(rows);

async function audit(
  optimizer: Optimizer,
  mode: ModelDefinition["training"]["mode"] & object,
  seed = 1,
  definitionOf = tinyDefinition,
): Promise<SpeedAudit> {
  const definition = definitionOf({ optimizer, mode, batchSize: 32 });
  const { inputs } = definition;
  const examples = localExamples(reader, partitions);
  const plan = { inputs, fit: await examples.fit(inputs, signal), batchSize: 32, seed: 5 };
  const stages = startStages(systemClock);
  return auditSpeed(
    {
      definition,
      executor: await openExecutor({ kind: "auto" }),
      batches: () => examples.batches(plan, { partition: 0, batch: 0 }, stages),
      batchCount: rows / 32,
      ...{ inFlight: [4], tolerance: 0.02, replicates: 200, seed },
    },
    signal,
  );
}

const momentum = (rate: number, kept: number, embeddingRate = rate): Optimizer => ({
  kind: "separate",
  embeddings: { kind: "momentum", rate: embeddingRate, momentum: kept },
  dense: { kind: "momentum", rate, momentum: kept },
});
const fast = { kind: "bounded", staleness: 28, inFlight: 8 } as const;

test("a model that large steps make diverge once updates overlap is trained too fast, and the audit says so", async () => {
  const { settings, own, tooFast, heldOutRows } = await audit(momentum(0.4, 0.9), fast);
  assert.equal(settings[0]?.verdict, "baseline");
  assert.deepEqual([own.inFlight, own.staleness], [8, 28]);
  assert.equal(tooFast, "yes", JSON.stringify(settings, null, 1));
  assert.ok(own.verdict === "worse" || own.verdict === "diverged");
  assert.equal(heldOutRows, 25 * 32);
});

test("a model of small steps is not trained too fast by the same overlap, and the same seed says the same", async () => {
  const adagrad = {
    kind: "adagrad",
    ...{ embeddingRate: 0.1, denseRate: 0.05, initialAccumulator: 0.1 },
  } as const;
  const first = await audit(adagrad, fast);
  assert.equal(first.tooFast, "no", JSON.stringify(first.settings, null, 1));
  assert.equal(first.own.verdict, "as-good");
  assert.ok((first.own.meanStaleness ?? 0) > 3, String(first.own.meanStaleness));
  assert.deepEqual(await audit(adagrad, fast), first);
});

test("rows that may be old are old in the audit, too: they alone can make a model too fast", async () => {
  const mode = { kind: "bounded", staleness: 16, inFlight: 1, rowAge: 16 } as const;
  const { settings, own, tooFast } = await audit(momentum(0.1, 0.9, 4), mode);
  assert.equal(own.rowAge, 16);
  assert.ok((own.meanStaleness ?? 0) > 3, String(own.meanStaleness));
  assert.equal(tooFast, "yes", JSON.stringify(settings, null, 1));
  const without = settings.find((one) => one.staleness === 16 && one.rowAge === undefined);
  assert.deepEqual([without?.verdict, without?.meanStaleness], ["as-good", 0]);
});

test("a network of the model's own, with dropout and moving statistics, is audited like one of ours", async () => {
  const { settings, tooFast } = await audit(momentum(0.4, 0.9), fast, 1, moduleDefinition);
  assert.equal(tooFast, "yes", JSON.stringify(settings, null, 1));
  assert.ok((settings[0]?.quality?.auc?.value ?? 0) > 0.7);
});

test("a long-term and a short-term model are audited as the one that they serve as", async () => {
  const pair: typeof tinyDefinition = (training) => ({
    ...tinyDefinition(training),
    shortTerm: {},
  });
  const { settings, tooFast } = await audit(momentum(0.4, 0.9), fast, 1, pair);
  assert.equal(tooFast, "yes", JSON.stringify(settings, null, 1));
});

test("a model that no speed can train, and a dataset of one batch, are refused by name", async () => {
  await assert.rejects(audit(momentum(1e30, 0.9), fast), {
    code: "FAILED_PRECONDITION",
    reason: "BASELINE_DIVERGED",
    message: /lower its learning rates/,
  });
  const definition = tinyDefinition();
  const executor = await openExecutor({ kind: "auto" });
  const never = () => {
    throw new Error("not read");
  };
  const asked = { inFlight: [2], tolerance: 1, replicates: 1, seed: 1 };
  await assert.rejects(
    auditSpeed({ definition, executor, batches: never, batchCount: 1, ...asked }, signal),
    { reason: "TOO_FEW_BATCHES" },
  );
});
