import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { sha256 } from "@heddle/base";
import type { EvaluationSchema } from "@heddle/proto/evaluator";
import { brier, definition } from "./fixtures/definition.ts";
import { openWorld, requestId, soon, type World } from "./fixtures/world.ts";

type EvaluationInit = MessageInitShape<typeof EvaluationSchema>;

const version = sha256("version");
const interval = { value: 0.01, low: 0.005, high: 0.015 };
const measured: EvaluationInit = {
  model: definition.name,
  version,
  dataset: sha256("evaluation"),
  trainingDataset: sha256("training"),
  rows: 15_000n,
  positives: 3_000n,
  metrics: [
    { name: "auc", candidate: { ...interval, value: 0.95, high: 0.96 }, versusFallback: interval },
    { name: "calibration", candidate: { value: 1, low: 0.97, high: 1.03 } },
  ],
};

const apply = ({ evaluator }: World, metric: object) =>
  evaluator.applyMetric({ requestId: requestId(), definitionJson: JSON.stringify(metric) }, soon);
const record = ({ evaluator }: World, evaluation: EvaluationInit) =>
  evaluator.recordEvaluation({ requestId: requestId(), evaluation }, soon);

test("a metric is applied once and never changes", async () => {
  await using world = await openWorld();
  const { digest } = await apply(world, brier);
  assert.equal((await apply(world, brier)).digest, digest);
  const { definitionJson } = await world.evaluator.getMetric({ name: "brier" }, soon);
  assert.deepEqual(JSON.parse(definitionJson), brier);
  await assert.rejects(apply(world, { ...brier, better: "higher" }), {
    reason: "DEFINITION_CHANGED",
  });
  await assert.rejects(world.evaluator.getMetric({ name: "none" }, soon), {
    reason: "UNKNOWN_METRIC",
  });
});

test("a wrong metric is refused with the place", async () => {
  await using world = await openWorld();
  const invalid = { reason: "DEFINITION_INVALID" };
  await assert.rejects(apply(world, { ...brier, name: "auc" }), invalid);
  await assert.rejects(apply(world, { ...brier, each: { op: "label", of: 1 } }), {
    ...invalid,
    message: /each: unknown key "of"/,
  });
  const broken = { requestId: requestId(), definitionJson: "{" };
  await assert.rejects(world.evaluator.applyMetric(broken, soon), invalid);
  const unnamed = { definitionJson: JSON.stringify(brier) };
  await assert.rejects(world.evaluator.applyMetric(unnamed, soon), {
    reason: "REQUEST_ID_MISSING",
  });
});

test("an evaluation is named by its content and read back whole", async () => {
  await using world = await openWorld();
  const { evaluation } = await record(world, measured);
  assert.equal((await record(world, measured)).evaluation, evaluation);
  const other = await record(world, { ...measured, positives: 2_999n });
  assert.notEqual(other.evaluation, evaluation);
  const found = await world.evaluator.getEvaluation({ evaluation }, soon);
  assert.equal(found.evaluation?.evaluation, evaluation);
  assert.equal(found.evaluation?.metrics[0]?.candidate?.high, 0.96);
  await assert.rejects(world.evaluator.getEvaluation({ evaluation: "none" }, soon), {
    reason: "UNKNOWN_EVALUATION",
  });
  // Another's bytes under its name, whole as they are, are not what was recorded.
  const bytes = await world.objects.get(`evaluations/${other.evaluation}.json`);
  await world.objects.delete(`evaluations/${evaluation}.json`);
  await world.objects.put(`evaluations/${evaluation}.json`, bytes);
  const read = world.evaluator.getEvaluation({ evaluation }, soon);
  await assert.rejects(read, { code: "DATA_LOSS", reason: "OBJECT_CORRUPT" });
});

test("what no evaluation can say is refused", async () => {
  await using world = await openWorld();
  const metrics = measured.metrics ?? [];
  const wrong: EvaluationInit[] = [
    { ...measured, version: "" },
    { ...measured, rows: 0n, positives: 0n },
    { ...measured, positives: 15_001n },
    { ...measured, metrics: [...metrics, ...metrics] },
    { ...measured, metrics: [{ name: "auc", candidate: { value: NaN, low: 0, high: 1 } }] },
    { ...measured, metrics: [{ name: "auc", versusLive: { value: 0, low: 1, high: -1 } }] },
    { ...measured, dataChecks: [{ name: "share", reference: Infinity }] },
  ];
  for (const evaluation of wrong) {
    await assert.rejects(record(world, evaluation), { reason: "EVALUATION_INVALID" });
  }
  await assert.rejects(world.evaluator.recordEvaluation({ requestId: requestId() }, soon), {
    reason: "EVALUATION_INVALID",
  });
});

test("a verdict reaches the registry and the event log, once per request", async () => {
  await using world = await openWorld();
  const { evaluator, eventLog, versions, verdicts } = world;
  const recipe = { configuration: sha256("configuration") };
  versions.set(version, { version, model: definition.name, recipe });
  const { evaluation } = await record(world, measured);
  const request = { requestId: requestId(), evaluation };
  await assert.rejects(evaluator.gate(request, soon), { reason: "UNKNOWN_METRIC" });
  await apply(world, brier);
  const first = await evaluator.gate(request, soon);
  assert.equal(first.verdict, "pass");
  assert.deepEqual((await evaluator.gate(request, soon)).checks, first.checks);
  assert.deepEqual(
    verdicts.map(({ verdict, evaluation: of, requestId: id }) => [verdict, of, id]),
    [1, 2].map(() => ["pass", evaluation, `${request.requestId}/verdict`]),
  );
  const told: { readonly data: Record<string, unknown> }[] = [];
  const stop = new AbortController();
  const subscription = { topic: "heddle.evaluations.v1", group: "test" };
  const handle = async ({ value }: { readonly value: Uint8Array }): Promise<void> => {
    told.push(JSON.parse(Buffer.from(value).toString()) as (typeof told)[number]);
    if (told.length === 3) stop.abort();
  };
  await eventLog.subscribe(subscription, handle, stop.signal);
  const judged = told.filter((event) => JSON.stringify(event).includes('"verdict":"pass"'));
  assert.equal(judged.length, 1);
  const { data } = told.find((event) => "metrics" in event.data) ?? {};
  assert.equal(data?.["dataset"], measured.dataset);
  const [figure] = data?.["metrics"] as [Record<string, unknown>];
  assert.deepEqual([figure["slice"], "candidate" in figure], [undefined, true], "over all rows");
});

test("a gate of what is not known says so", async () => {
  await using world = await openWorld();
  const gate = (evaluation: string) =>
    world.evaluator.gate({ requestId: requestId(), evaluation }, soon);
  await assert.rejects(gate(""), { reason: "UNKNOWN_EVALUATION" });
  const { evaluation } = await record(world, measured);
  await assert.rejects(gate(evaluation), { reason: "UNKNOWN_VERSION" });
});
