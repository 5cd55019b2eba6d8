import { openExecutor } from "@heddle/executor";
import { type ColumnBatch, compileTransform } from "@heddle/transform";
import assert from "node:assert/strict";
import { test } from "node:test";
import { slowLogit } from "../fixtures/oracle.ts";
import { tinyExamples, tinyModel } from "../fixtures/tiny.ts";
import { trainedModel } from "../fixtures/trained.ts";
import { createScoring, score, scoreTogether } from "./scoring.ts";

/** One row of a batch as a request of its own. */
function rowOf(batch: ColumnBatch, row: number): ColumnBatch {
  const cut = Object.entries(batch.features).map(([name, column]) => [
    name,
    column.type === "category"
      ? { ...column, codes: column.codes.slice(row, row + 1) }
      : {
          ...column,
          values: column.values.slice(row, row + 1),
          valid: column.valid?.slice(row, row + 1),
        },
  ]);
  return {
    rows: 1,
    exampleTimeMs: batch.exampleTimeMs.slice(row, row + 1),
    features: Object.fromEntries(cut) as ColumnBatch["features"],
  };
}

test("scores are those of the float64 oracle, corrected for sampled negatives, ids never seen as zeros", async () => {
  const executor = await openExecutor({ kind: "auto" });
  for (const architecture of [
    { kind: "wide-and-deep", dimension: 3, hidden: [5] },
    { kind: "dcn-v2", dimension: 3, crossLayers: 2, hidden: [5] },
  ] as const) {
    const whole = trainedModel({ definition: tinyModel(architecture) });
    // Every second id is forgotten: its rows must read as zeros.
    const width = 1 + architecture.dimension;
    const model = {
      ...whole,
      ids: whole.ids.filter((_, i) => i % 2 === 0),
      values: whole.values.filter((_, i) => Math.floor(i / width) % 2 === 0),
    };
    const examples = tinyExamples(60, 2);
    const { numeric, ids } = compileTransform(model.definition.inputs, model.fit).run(examples);
    const embedded = new Float32Array(ids.length * width);
    let unseen = 0;
    ids.forEach((id, i) => {
      const at = model.ids.indexOf(id);
      if (at < 0) unseen += 1;
      else embedded.set(model.values.subarray(at * width, (at + 1) * width), i * width);
    });
    assert.ok(unseen > 10 && unseen < ids.length - 10);

    await using scoring = await createScoring(model, executor);
    const scores = await score(scoring, examples);
    scores.forEach((score, row) => {
      const z = slowLogit(model.definition, { ...model.dense, numeric, embedded }, row);
      const odds = Math.exp(z) * model.negativeSamplingRate;
      assert.ok(Math.abs(score - odds / (1 + odds)) < 1e-5, `${architecture.kind}, row ${row}`);
    });
  }
});

test("a batch scores as its rows alone, also beyond one chunk", async () => {
  const executor = await openExecutor({ kind: "auto" });
  await using scoring = await createScoring(trainedModel(), executor);
  const examples = tinyExamples(9_000, 3);
  const scores = await score(scoring, examples);
  for (const row of [0, 1, 2, 3, 4, 5, 8_191, 8_192, 8_999]) {
    const [alone] = await score(scoring, rowOf(examples, row));
    assert.ok(Math.abs((alone ?? NaN) - (scores[row] ?? NaN)) < 1e-6, `row ${row}`);
  }
  assert.equal((await score(scoring, tinyExamples(0))).length, 0);
});

test("models scored together score as each alone, whether they share their transforms or not", async () => {
  const executor = await openExecutor({ kind: "auto" });
  const first = trainedModel();
  await using one = await createScoring(first, executor);
  await using other = await createScoring(
    { ...first, values: first.values.map((x) => -x) },
    executor,
  );
  const { standardise } = first.fit;
  const moved = Object.entries(standardise).map(([path, { mean, deviation }]) => [
    path,
    { mean: mean + 1, deviation },
  ]);
  const fit = { ...first.fit, standardise: Object.fromEntries(moved) as typeof standardise };
  await using elsewhere = await createScoring({ ...first, fit }, executor);
  assert.equal(one.transformKey, other.transformKey);
  assert.notEqual(one.transformKey, elsewhere.transformKey);

  const examples = tinyExamples(3_000, 5);
  const models = [one, other, elsewhere];
  const together = await scoreTogether(models, examples);
  for (const [i, model] of models.entries()) {
    assert.deepEqual(together[i], await score(model, examples));
    if (i > 0) assert.notDeepEqual(together[i], together[0]);
  }
});
