import assert from "node:assert/strict";
import { test } from "node:test";
import { mix32, systemClock } from "@heddle/base";
import { openExecutor } from "@heddle/executor";
import type { ModelDefinition, Optimizer } from "@heddle/sdk";
import type { ExampleReader } from "../data/reader.ts";
import { localExamples } from "../data/examples.ts";
import { tinyDefinition } from "../fixtures/data.ts";
import { startStages } from "../meters/stages.ts";
import { auditSpeed, type SpeedAudit } from "./audit.ts";

const { signal } = new AbortController();
const rows = 4_000;
const partitions = [{ partition: "1", object: "", sha256: "", rows }];

/** Examples whose label follows from item and price, with some noise. */
const reader: ExampleReader = {
  read: async function* () {
    const draws = (salt: number): number[] =>
      Array.from({ length: rows }, (_, row) => mix32(salt, row) / 2 ** 32);
    const [user, item, price, chance] = [draws(1), draws(2), draws(3), draws(4)];
    const category = (of: readonly number[], values: number) => ({
      type: "category" as const,
      dictionary: Array.from({ length: values }, (_, i) => `c${i}`),
      codes: Int32Array.from(of, (draw) => Math.floor(draw * values)),
    });
    const logit = (row: number): number =>
      3 * ((item[row] as number) > 0.5 ? 1 : -1) + 4 * ((price[row] as number) - 0.5);
    yield {
      rows,
      exampleTimeMs: new Float64Array(rows),
      features: {
        user: category(user ?? [], 30),
        item: category(item ?? [], 10),
        price: { type: "float64" as const, values: Float64Array.from(price ?? []) },
      },
      label: Float32Array.from(chance ?? [], (draw, row) =>
        draw < 1 / (1 + Math.exp(-logit(row))) ? 1 : 0,
      ),
      weight: new Float32Array(rows).fill(1),
      visit: new Int32Array(rows),
    };
  },
};

async function audit(
  optimizer: Optimizer,
  mode: ModelDefinition["training"]["mode"] & object,
  seed = 1,
): Promise<SpeedAudit> {
  const definition = tinyDefinition({ optimizer, mode, batchSize: 32 });
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

const momentum = (rate: number, kept: number): Optimizer => ({
  kind: "separate",
  embeddings: { kind: "momentum", rate, momentum: kept },
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
