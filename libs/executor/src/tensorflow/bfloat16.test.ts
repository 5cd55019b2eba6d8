import assert from "node:assert/strict";
import { test } from "node:test";
import { allExecutors } from "../fixtures/all-executors.ts";
import { tensorflowMissing } from "../fixtures/installed.ts";
import { crossNetwork, type Model, modelInputs, wideAndDeep } from "../fixtures/models.ts";
import { bfloat16Lack } from "../instruction-set.ts";
import { openExecutor } from "../open-executor.ts";
import type { Executor, Step, StepSpec } from "../port.ts";
import { openGraphExecutor } from "../recording/graph-executor.ts";
import { loadAddon } from "./addon.ts";
import { tensorflowRuntime } from "./executor.ts";
import { startGraph } from "./session.ts";

const options = { skip: tensorflowMissing };
const inBfloat16 = (spec: StepSpec): StepSpec => ({ ...spec, precision: "bfloat16" });

/** TensorFlow as on a processor that gains by bfloat16: any computes it, if slowly. */
async function openNarrow(): Promise<Executor> {
  const addon = loadAddon(1, startGraph);
  return openGraphExecutor(await tensorflowRuntime(addon, 1, undefined));
}

/** The root of the mean square of the differences, relative to that of what is wanted. */
function relativeDistance(want: Float32Array, got: Float32Array): number {
  const squares = (f: (x: number, i: number) => number): number =>
    want.reduce((sum, x, i) => sum + f(x, i) ** 2, 0);
  return Math.sqrt(squares((x, i) => x - got[i]!) / squares((x) => x));
}

const models: readonly Model[] = [wideAndDeep([48, 32, 16, 1]), crossNetwork(32)];

for (const model of models) {
  test(
    `products of ${model.name} are rounded to bfloat16, and nothing else is`,
    options,
    async () => {
      const narrow = await openNarrow();
      assert.match(narrow.environment, /, bfloat16\); op by op/);
      await using step = await narrow.compile(model.train, inBfloat16(model.spec));
      await using wide = await narrow.compile(model.train, model.spec);
      assert.match(step.description, /\(graph, products in bfloat16\)$/);
      assert.deepEqual([step.fallbackReason, step.precisionReason], [undefined, undefined]);
      for (const rows of [1, 17, 300]) {
        const inputs = modelInputs(model.spec, rows);
        const [got, want] = [await step.run(inputs, rows), await wide.run(inputs, rows)];
        assert.ok(Math.abs(got["loss"]![0]! / want["loss"]![0]! - 1) < 0.005);
        for (const [name, values] of Object.entries(want)) {
          const error = relativeDistance(values, got[name]!);
          assert.ok(error < 0.1, `${name} with ${rows} rows is off by ${error}`);
        }
        // It was rounded: float32 agrees to 1e-5.
        assert.ok(relativeDistance(want["grad_emb"]!, got["grad_emb"]!) > 1e-4);
        assert.deepEqual(await step.run(inputs, rows), got);
      }
      assert.equal(step.fallbackReason, undefined);
    },
  );
}

test("training with master weights in float32 ends where float32 ends", options, async () => {
  const model = models[0]!;
  const executor = await openNarrow();
  const lossAfter = async (spec: StepSpec): Promise<number> => {
    await using step = await executor.compile(model.train, spec);
    const given = modelInputs(model.spec, 256);
    // What is to be learnt: the label is the sign of the first column.
    const label = Float32Array.from({ length: 256 }, (_, i) => +(given["emb"]![i * 48]! > 0));
    const inputs: Record<string, Float32Array> = { ...given, label };
    let loss = NaN;
    for (let i = 0; i < 300; i++) {
      const out = await step.run(inputs, 256);
      loss = out["loss"]![0]!;
      for (const name of ["w0", "b0", "w1", "b1", "w2", "b2"]) {
        inputs[name] = inputs[name]!.map((x, j) => x - 0.3 * out[`grad_${name}`]![j]!);
      }
    }
    return loss;
  };
  const [narrow, wide] = [await lossAfter(inBfloat16(model.spec)), await lossAfter(model.spec)];
  assert.ok(wide < 0.5, `float32 learnt something: ${wide}`);
  assert.ok(Math.abs(narrow - wide) < 0.05 * wide, `${narrow} and ${wide}`);
});

test("a product with a short side stays float32, to the bit", options, async () => {
  const executor = await openNarrow();
  const step: Step = (tf, { x, w }) => ({ y: tf.matMul(x!, w!) });
  const spec: StepSpec = {
    name: "logits",
    inputs: {
      x: { dtype: "float32", shape: ["rows", 64] },
      w: { dtype: "float32", shape: [64, 1] },
    },
  };
  await using narrow = await executor.compile(step, inBfloat16(spec));
  await using wide = await executor.compile(step, spec);
  const inputs = modelInputs(spec, 9);
  assert.deepEqual(await narrow.run(inputs, 9), await wide.run(inputs, 9));
});

const lack = await bfloat16Lack();

for (const { kind, options: here, open } of allExecutors) {
  const gains = kind === "tensorflow" && lack === undefined;
  const skip = here.skip || (gains && "this processor gains by bfloat16");
  test(
    `${kind}: where bfloat16 gains nothing, float32 is computed and the reason said`,
    { skip },
    async () => {
      const model = models[0]!;
      const executor = await open();
      await using asked = await executor.compile(model.train, inBfloat16(model.spec));
      await using plain = await executor.compile(model.train, model.spec);
      const says = {
        onnx: /onnxruntime has no matrix products in bfloat16/,
        tensorflow: /this processor|GPU/,
        tfjs: /op by op, compute in float32/,
      };
      assert.match(asked.precisionReason ?? "", says[kind]);
      assert.equal(plain.precisionReason, undefined);
      assert.doesNotMatch(asked.description, /bfloat16/);
      const inputs = modelInputs(model.spec, 33);
      assert.deepEqual(await asked.run(inputs, 33), await plain.run(inputs, 33));
    },
  );
}

test("a step that falls back says that it computes in float32", async () => {
  const executor = await openExecutor({ kind: "onnx" });
  const spec: StepSpec = { name: "s", inputs: { x: { dtype: "float32", shape: ["rows"] } } };
  const step: Step = (tf, { x }) => ({ y: tf.cumprod(x!) });
  await using compiled = await executor.compile(step, inBfloat16(spec));
  assert.match(compiled.fallbackReason ?? "", /Cumprod/);
  assert.match(compiled.precisionReason ?? "", /compute in float32/);
});
