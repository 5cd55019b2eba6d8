import { present, seededRandom } from "@heddle/base";
import { openExecutor } from "@heddle/executor";
import assert from "node:assert/strict";
import { test } from "node:test";
import { moduleModel } from "../fixtures/module.ts";
import { trainedModel, temporaryObjects } from "../fixtures/trained.ts";
import { openScorer } from "../version/open.ts";
import { denseParameters } from "../parameters/parameters.ts";
import { predictStep, trainStep } from "./steps.ts";
import { writeModel } from "../version/write.ts";

const executor = await openExecutor({ kind: "auto" });
const objects = await temporaryObjects();
const withoutDropout = moduleModel(undefined, { width: 4, dropout: 0 });
const rows = 6;
const { batchSize } = withoutDropout.training;
type Inputs = Record<string, Float32Array>;

/** First parameters, moved a little, and random rows. */
function inputsOf(definition = withoutDropout, count = rows): Inputs {
  const first = Object.fromEntries(
    denseParameters(definition).map(({ name, initial }) => [name, initial]),
  );
  const rest = Object.entries(trainStep(definition).spec.inputs)
    .filter(([name]) => first[name] === undefined)
    .map(([name, { shape }]): [string, Float32Array] => {
      const random = seededRandom(3).split(name);
      const length = shape.reduce<number>((n, side) => n * (side === "rows" ? count : side), 1);
      const draw = () => (name === "label" ? random.below(2) : random.normal());
      return [name, Float32Array.from({ length }, draw)];
    });
  return { ...first, ...Object.fromEntries(rest) };
}

async function train(inputs: Inputs, count = rows, definition = withoutDropout) {
  const { step, spec } = trainStep(definition);
  await using compiled = await executor.compile(step, spec);
  assert.equal(compiled.fallbackReason, undefined);
  const outputs = await compiled.run(inputs, count, { seed: [1, 2, 3] });
  return (name: string): Float32Array => present(outputs[name], name);
}

/** What goes into batch norm, column by column in float64. */
function firstLayer(inputs: Inputs): number[][] {
  const width = present(inputs["norm_mean"], "mean").length;
  const at = (name: string, i: number): number => present(inputs[name]?.[i], `${name} ${i}`);
  return Array.from({ length: width }, (_, out) =>
    Array.from({ length: rows }, (_row, row) => {
      const joined = [
        ...[0, 1].map((i) => at("numeric", row * 2 + i)),
        ...[0, 1].flatMap((field) =>
          [1, 2, 3].map((i) => at("embedded", (row * 2 + field) * 4 + i)),
        ),
      ];
      return joined.reduce((sum, x, i) => sum + x * at("first_weights", i * width + out), 0);
    }),
  );
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const variance = (values: readonly number[]) => mean(values.map((x) => (x - mean(values)) ** 2));

function near(actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  assert.equal(actual.length, expected.length);
  expected.forEach((wanted, i) => {
    const got = actual[i] ?? NaN;
    assert.ok(Math.abs(got - wanted) <= tolerance, `${got} is not ${wanted}`);
  });
}

test("moving parameters are pushed what moves them: (parameter − update) × rows / batch size", async () => {
  const inputs = inputsOf();
  const output = await train(inputs);
  const columns = firstLayer(inputs);
  const moves = (from: number, to: number[]) => to.map((x) => ((from - x) * rows) / batchSize);
  near(output("grad_norm_mean"), moves(0, columns.map(mean)), 1e-5);
  near(output("grad_norm_variance"), moves(1, columns.map(variance)), 1e-5);
  near(output("grad_temperature"), moves(1, [0.5]), 1e-7);
});

test("gradients of a network with batch norm and a loss of its own are differences of that loss", async () => {
  const inputs = inputsOf();
  const output = await train(inputs);
  for (const name of ["first_weights", "norm_scale", "norm_shift", "last_bias", "embedded"]) {
    const gradient = output(`grad_${name}`);
    const values = present(inputs[name], name);
    const at = values.length >> 1;
    const lossAt = async (change: number): Promise<number> => {
      const moved = values.slice();
      moved[at] = (moved[at] ?? 0) + change;
      return present((await train({ ...inputs, [name]: moved }))("loss")[0], "loss");
    };
    const slope = ((await lossAt(0.01)) - (await lossAt(-0.01))) / 0.02;
    near([gradient[at] ?? NaN], [(slope * rows) / batchSize], 2e-4);
  }
});

test("prediction reads the moving statistics, and evaluation computes what the written version did", async () => {
  const model = trainedModel({ definition: withoutDropout });
  for (const name of ["norm_variance", "temperature"]) {
    const values = present(model.dense[name], name);
    values.forEach((x, i) => (values[i] = 0.5 + Math.abs(x)));
  }
  const manifest = await writeModel(objects, model, executor);
  await using scorer = await openScorer({ objects, manifest, executor });
  const { outputs, recorded } = await scorer.golden();
  assert.deepEqual(outputs, recorded);

  const inputs = { ...inputsOf(), ...model.dense };
  const { step, spec } = predictStep(withoutDropout);
  await using compiled = await executor.compile(step, spec);
  assert.equal(compiled.fallbackReason, undefined);
  const joined = Float32Array.from({ length: rows * 8 }, (_, i) => {
    const [row, column] = [Math.floor(i / 8), i % 8];
    if (column < 2) return inputs["numeric"]?.[row * 2 + column] ?? NaN;
    const field = Math.floor((column - 2) / 3);
    return inputs["embedded"]?.[(row * 2 + field) * 4 + 1 + ((column - 2) % 3)] ?? NaN;
  });
  const wide = new Float32Array(rows * 2);
  const { predictions } = await compiled.run({ ...model.dense, joined, wide }, rows);
  const columns = firstLayer(inputs);
  const at = (name: string, i: number): number => present(model.dense[name]?.[i], name);
  const expected = Array.from({ length: rows }, (_, row) => {
    const hidden = columns.map((column, i) => {
      const deviation = Math.sqrt(at("norm_variance", i) + 1e-3);
      const normal = (present(column[row], "x") - at("norm_mean", i)) / deviation;
      return Math.max(0, normal * at("norm_scale", i) + at("norm_shift", i));
    });
    const raw = hidden.reduce((sum, h, i) => sum + h * at("last_weights", i), at("last_bias", 0));
    return 1 / (1 + Math.exp(-raw / at("temperature", 0)));
  });
  near(present(predictions, "predictions"), expected, 1e-5);
});

test("dropout runs inside the graph, and draws by the seed of the step", async () => {
  const definition = moduleModel(undefined, { width: 64, dropout: 0.5 });
  const { step, spec } = trainStep(definition);
  await using compiled = await executor.compile(step, spec);
  assert.equal(compiled.fallbackReason, undefined);
  const inputs = inputsOf(definition);
  const loss = async (...seed: number[]) => (await compiled.run(inputs, rows, { seed }))["loss"];
  assert.deepEqual(await loss(1, 2, 3), await loss(1, 2, 3));
  assert.notDeepEqual(await loss(1, 2, 3), await loss(1, 2, 4));
});
