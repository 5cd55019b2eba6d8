import assert from "node:assert/strict";
import { test } from "node:test";
import type { Scorer } from "@heddle/model";
import { silentTelemetry } from "@heddle/telemetry";
import type { ExampleBatch } from "@heddle/transform";
import type { EvaluationDeps } from "./deps.ts";
import { evaluate } from "./evaluate.ts";
import { definition } from "../fixtures/definition.ts";

const never = new AbortController().signal;
const rowsModel = {
  ...definition,
  examples: { kind: "rows", source: "clicks", label: "clicked" },
  metrics: [],
  slices: [],
  fallback: { name: "any" },
} as const;

/** Rows without visits, each a visit of its own, whose prediction is right three times in four. */
function batch(rows: number): ExampleBatch {
  return {
    rows,
    exampleTimeMs: new Float64Array(rows),
    features: {},
    label: Float32Array.from({ length: rows }, (_, i) => i % 2),
    weight: new Float32Array(rows).fill(1),
    visit: Int32Array.from({ length: rows }, (_, i) => i),
  };
}
const predict = async ({ rows }: { rows: number }): Promise<Float32Array> =>
  Float32Array.from({ length: rows }, (_, i) => (i % 8 < 6 ? i % 2 : 1 - (i % 2)) / 2 + 0.25);

/** Everything that an evaluation asks, in memory. */
function world(promised: number, found: number, progress: number[] = []): EvaluationDeps {
  const partitions = [{ object: { name: "rows", sha256: "0" }, rows: BigInt(promised) }];
  const manifest = { dataset: "rows", rows: BigInt(promised), columns: [], partitions };
  const version = { version: "v", manifest: {}, recipe: { configuration: "c", dataset: "t" } };
  const deps = {
    registry: {
      getVersion: async () => ({ version }),
      getConfiguration: async () => ({ definitionJson: JSON.stringify(rowsModel) }),
    },
    featureStore: { grantRead: async () => ({ manifest: { ...manifest, positives: 400n } }) },
    scheduler: { progress: (done: number) => progress.push(done) },
    reader: {
      read: async function* () {
        yield batch(found);
      },
    },
    openModel: async () =>
      ({
        version: "v",
        manifest: { negativeSamplingRate: 1 },
        features: [],
        transformKey: "",
        transform: (_: unknown, from: number, to: number) => ({ rows: to - from }),
        predict,
        [Symbol.asyncDispose]: async () => {},
      }) as unknown as Scorer,
    telemetry: silentTelemetry(),
    cpuSeconds: () => 0,
  };
  return deps as unknown as EvaluationDeps;
}

const input = {
  job: "job",
  version: "v",
  liveVersion: "",
  dataset: "rows",
  rankingDataset: "",
  referenceDataset: "",
};

test("rows without visits are clusters of their own", async () => {
  const progress: number[] = [];
  const { metrics } = await evaluate(world(800, 800, progress), input, never);
  const auc = metrics.find(({ name }) => name === "auc");
  assert.ok(Math.abs((auc?.candidate?.value ?? 0) - 0.75) < 1e-9);
  // 400 rows of each label: the standard error of a share of 0.75 over them is near 0.015.
  const width = (auc?.candidate?.high ?? 0) - (auc?.candidate?.low ?? 0);
  assert.ok(width > 0.04 && width < 0.08, `${width}`);
  assert.deepEqual(auc?.fallback, { ...auc?.fallback, value: 0.5, low: 0.5, high: 0.5 });
  assert.deepEqual(progress, [800]);
});

test("a dataset with other rows than its manifest says is refused", async () => {
  for (const found of [799, 801]) {
    await assert.rejects(evaluate(world(800, found), input, never), { reason: "DATASET_DIFFERS" });
  }
});

test("a ranking of a model that does not rank is refused before anything is scored", async () => {
  const progress: number[] = [];
  const asked = { ...input, rankingDataset: "ranking" };
  await assert.rejects(evaluate(world(8, 8, progress), asked, never), {
    reason: "MODEL_DOES_NOT_RANK",
  });
  assert.deepEqual(progress, []);
});

test("an aborted evaluation stops with the next piece", async () => {
  const stop = AbortSignal.abort(new Error("replaced"));
  await assert.rejects(evaluate(world(8, 8), input, stop), /replaced/);
});
