import assert from "node:assert/strict";
import { test } from "node:test";
import { models } from "../contract.ts";
import { modelInputs } from "../fixtures/models.ts";
import { openExecutor } from "../open-executor.ts";

for (const model of models) {
  test(`fifty runs of ${model.name} leave no tensor behind`, async () => {
    const tf = await import("@tensorflow/tfjs-core");
    await using step = await (
      await openExecutor({ kind: "tfjs" })
    ).compile(model.train, model.spec);
    const inputs = modelInputs(model.spec, 17);
    const { numTensors, numDataBuffers } = tf.memory();
    for (let i = 0; i < 50; i += 1) await step.run(inputs, 17);
    assert.equal(tf.memory().numTensors, numTensors);
    assert.equal(tf.memory().numDataBuffers, numDataBuffers);
  });
}

test("a run that throws leaves no tensor behind either", async () => {
  const tf = await import("@tensorflow/tfjs-core");
  let broken = false;
  const executor = await openExecutor({ kind: "tfjs" });
  await using step = await executor.compile(
    (tensorflow, { x }) => {
      const y = tensorflow.keep(tensorflow.neg(x!));
      if (broken) throw new Error("broken");
      return { y };
    },
    { name: "sometimes", inputs: { x: { dtype: "float32", shape: ["rows"] } } },
  );
  broken = true;
  const { numTensors } = tf.memory();
  await assert.rejects(step.run({ x: Float32Array.of(1) }, 1), /broken/);
  assert.equal(tf.memory().numTensors, numTensors);
});

test("a step whose kernels wasm lacks runs on the cpu backend, and says so", async () => {
  const executor = await openExecutor({ kind: "tfjs" });
  await using step = await executor.compile(
    (tf, { x }) => ({ y: tf.unsortedSegmentSum(x!, tf.tensor1d([0, 0], "int32"), 1) }),
    { name: "segments", inputs: { x: { dtype: "float32", shape: [2] } } },
  );
  assert.match(step.description, /^tfjs-cpu [\d.]+ \(op by op\)$/);
  assert.deepEqual((await step.run({ x: Float32Array.of(1, 2) }, 1))["y"], Float32Array.of(3));
});

test("another backend chosen by the caller is used by the caller alone", async () => {
  const tf = await import("@tensorflow/tfjs-core");
  const executor = await openExecutor({ kind: "tfjs" });
  const model = models[0]!;
  await using step = await executor.compile(model.train, model.spec);
  const inputs = modelInputs(model.spec, 17);
  const first = await step.run(inputs, 17);
  await tf.setBackend("cpu");
  assert.deepEqual(await step.run(inputs, 17), first);
  assert.equal(tf.getBackend(), "cpu");
});

test("an output that is not of numbers is refused by name", async () => {
  const executor = await openExecutor({ kind: "tfjs" });
  const text = { name: "text", inputs: { x: { dtype: "float32", shape: ["rows"] } } } as const;
  await assert.rejects(
    executor.compile((tf) => ({ y: tf.tensor(["a"]) }), text),
    /step "text" failed .*: output "y" is of type string/,
  );
});

test("whole and boolean results come as float32", async () => {
  for (const kind of ["onnx", "tfjs"] as const) {
    const executor = await openExecutor({ kind });
    await using step = await executor.compile(
      (tf, { ids }) => ({ doubled: tf.add(ids!, ids!), positive: tf.greater(ids!, 0), ids: ids! }),
      { name: "ids", inputs: { ids: { dtype: "int32", shape: ["rows"] } } },
    );
    assert.equal(step.fallbackReason, undefined);
    assert.deepEqual(await step.run({ ids: Int32Array.of(-1, 0, 7) }, 3), {
      doubled: Float32Array.of(-2, 0, 14),
      positive: Float32Array.of(0, 0, 1),
      ids: Float32Array.of(-1, 0, 7),
    });
  }
});
