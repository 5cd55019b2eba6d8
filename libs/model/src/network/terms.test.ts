import assert from "node:assert/strict";
import { test } from "node:test";
import { present, seededRandom } from "@heddle/base";
import { openExecutor, type Step, type StepSpec } from "@heddle/executor";
import type { Architecture, ModelDefinition } from "@heddle/sdk";
import { networkOf } from "./architecture.ts";
import { checkModel } from "../step/check.ts";
import { moduleModel } from "../fixtures/module.ts";
import { tinyModel } from "../fixtures/tiny.ts";
import { temporaryObjects, trainedModel } from "../fixtures/trained.ts";
import { openScorer } from "../version/open.ts";
import { embeddingTables } from "../parameters/parameters.ts";
import { servedRows } from "../scoring/served-rows.ts";
import { predictStep, trainStep } from "../step/steps.ts";
import { widthsOf } from "./architecture.ts";
import { writeModel } from "../version/write.ts";

const rows = 7;
const share = 0.25;
const objects = await temporaryObjects();
const executor = await openExecutor({ kind: "auto" });
type Values = Readonly<Record<string, Float32Array>>;

/** Random values for all inputs of a step. */
function randomInputs({ inputs }: StepSpec): Record<string, Float32Array> {
  const drawn = Object.entries(inputs).map(([name, { shape }]) => {
    const random = seededRandom(5).split(name);
    const length = shape.reduce<number>((size, side) => size * (side === "rows" ? rows : side), 1);
    const draw = (): number => (name === "label" ? random.below(2) : random.normal() / 2);
    return [name, Float32Array.from({ length }, draw)] as const;
  });
  return Object.fromEntries(drawn);
}

async function run(
  { step, spec }: { readonly step: Step; readonly spec: StepSpec },
  inputs: Values,
): Promise<Values> {
  await using compiled = await executor.compile(step, spec);
  assert.equal(compiled.fallbackReason, undefined);
  return await compiled.run(inputs, rows);
}

/** The inputs of one of the two, as those of a model alone. */
function ownOf(inputs: Values, spec: StepSpec, prefix: string): Values {
  const names = Object.keys(spec.inputs);
  return Object.fromEntries(
    names.map((name) => [name, present(inputs[`${prefix}${name}`] ?? inputs[name], name)]),
  );
}

/** What prediction reads of the training step's inputs: both rows side by side. */
function joinedOf(definition: ModelDefinition, inputs: Values): Values {
  const {
    numeric: numbers = new Float32Array(),
    embedded,
    short_embedded,
    label: _,
    ...dense
  } = inputs;
  const { numeric, fields, dimension } = widthsOf(definition);
  const each = (1 + dimension) / 2;
  const [joined, wide]: [number[], number[]] = [[], []];
  for (let row = 0; row < rows; row++) {
    joined.push(...numbers.subarray(row * numeric, (row + 1) * numeric));
    for (let field = 0; field < fields; field++) {
      const at = (row * fields + field) * each;
      const [weight = NaN, ...embedding] = present(embedded, "rows").subarray(at, at + each);
      wide.push(weight);
      joined.push(...embedding, ...present(short_embedded, "rows").subarray(at, at + each));
    }
  }
  const ofFields = fields === 0 ? {} : { wide: Float32Array.from(wide) };
  return { ...dense, joined: Float32Array.from(joined), ...ofFields };
}

const architectures: readonly Architecture[] = [
  { kind: "wide-and-deep", dimension: 3, hidden: [5, 4] },
  { kind: "dcn-v2", dimension: 3, crossLayers: 2, hidden: [5] },
  { kind: "dlrm", dimension: 3, bottom: [4], hidden: [5] },
  { kind: "factorisation-machine", dimension: 3 },
];
const models = architectures.flatMap((architecture) => {
  const whole = tinyModel(architecture);
  const only = (kind: string) => whole.inputs.filter((input) => input.kind === kind);
  return [
    [architecture.kind, whole],
    [`${architecture.kind}, numeric inputs only`, { ...whole, inputs: only("numeric") }],
    [`${architecture.kind}, embedding inputs only`, { ...whole, inputs: only("embedding") }],
  ] as const;
});

for (const [name, alone] of models) {
  test(`${name}: each of two terms has the gradients of a model alone, to the bit, and predictions are their mean`, async () => {
    const both: ModelDefinition = { ...alone, shortTerm: { share } };
    const inputs = randomInputs(trainStep(both).spec);
    const trained = await run(trainStep(both), inputs);
    const single = trainStep(alone);
    const [long, short] = [
      await run(single, ownOf(inputs, single.spec, "")),
      await run(single, ownOf(inputs, single.spec, "short_")),
    ];
    const gradients = Object.keys(long).filter((output) => output.startsWith("grad_"));
    for (const output of gradients) {
      assert.deepEqual(trained[output], long[output], output);
      assert.deepEqual(trained[output.replace("grad_", "grad_short_")], short[output], output);
    }
    assert.equal(Object.keys(trained).length, 2 * gradients.length + 2);
    const mean = (output: string): Float32Array =>
      present(long[output], output).map(
        (value, i) => (1 - share) * value + share * (short[output]?.[i] ?? NaN),
      );
    near(trained["predictions"], mean("predictions"));
    near(trained["loss"], mean("loss"));
    const predicted = await run(predictStep(both), joinedOf(both, inputs));
    near(predicted["predictions"], mean("predictions"));
  });
}

function near(actual: Float32Array | undefined, expected: Float32Array): void {
  assert.equal(actual?.length, expected.length);
  expected.forEach((value, i) => {
    assert.ok(Math.abs((actual?.[i] ?? NaN) - value) <= 1e-6, `${actual?.[i]} for ${value}`);
  });
}

test("a version of two terms is written, read back and scores as it did", async () => {
  const definition: ModelDefinition = { ...tinyModel(), shortTerm: {} };
  const tables = embeddingTables(definition).map(({ dimension }, n) => {
    const { ids, values } = trainedModel();
    // The short-term model has seen fewer ids.
    const kept = ids.slice(3 * n);
    return { ids: kept, values: values.slice(3 * n * dimension) };
  });
  const width = 1 + definition.architecture.dimension;
  const model = trainedModel({ definition, ...servedRows(tables, width) });
  const manifest = await writeModel(objects, model, executor);
  await using scorer = await openScorer({ objects, manifest, executor });
  const { outputs, recorded } = await scorer.golden();
  assert.deepEqual(outputs, recorded);
  assert.ok(outputs.every((p) => p > 0 && p < 1));
});

test("rows of two tables lie side by side, with zeros where one has none", () => {
  const served = servedRows(
    [
      { ids: BigUint64Array.of(1n, 3n, 2n ** 63n), values: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { ids: BigUint64Array.of(0n, 3n), values: Float32Array.of(7, 8, 9, 10) },
    ],
    2,
  );
  assert.deepEqual(served.ids, BigUint64Array.of(0n, 1n, 3n, 2n ** 63n));
  // prettier-ignore
  assert.deepEqual([...served.values], [0, 0, 7, 8,  1, 2, 0, 0,  3, 4, 9, 10,  5, 6, 0, 0]);
});

test("a model that begins as another does not draw the same rows", () => {
  const [long, short] = embeddingTables({ ...tinyModel(), shortTerm: {} });
  assert.deepEqual([long?.name, short?.name], ["embeddings", "short_embeddings"]);
  assert.equal(long?.seed, tinyModel().training.seed);
  assert.notEqual(short?.seed, long?.seed);
});

test("a network of the model's own is tried out with both terms; a name of the short-term one is refused", async () => {
  const definition: ModelDefinition = { ...moduleModel(), shortTerm: {} };
  assert.equal((await checkModel(definition, executor)).fallbackReason, undefined);
  const { architecture } = definition;
  const module = architecture.kind === "module" ? architecture.module : "";
  assert.ok(typeof module === "object");
  const files = {
    "net.ts": `
import { defineArchitecture } from "@heddle/sdk/architecture";
export const architecture = defineArchitecture({
  parameters: () => ({ short_w: { shape: [1], start: "zeros" } }),
  build: (tf, { wide, parameters }) => ({ logits: tf.add(tf.sum(wide, 1), parameters.short_w) }),
});`,
  };
  const wrong = { ...architecture, module: { entry: "net.ts", files } } as Architecture;
  networkOf({ ...moduleModel(), architecture: wrong });
  assert.throws(() => networkOf({ ...definition, architecture: wrong }), {
    reason: "ARCHITECTURE_INVALID",
    message: /"short_w" begins with short_/,
  });
});
