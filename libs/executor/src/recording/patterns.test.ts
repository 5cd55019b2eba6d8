import assert from "node:assert/strict";
import { test } from "node:test";
import { lower } from "../onnx/lower.ts";
import type { Step, Tensor, TensorFlow } from "../port.ts";
import { openGraphExecutor } from "./graph-executor.ts";

/** The names of all operators in the graph of a function's gradient, x of shape [rows, 6]. */
async function operatorsOf(f: (tf: TensorFlow, x: Tensor) => Tensor): Promise<string> {
  let bytes: Uint8Array = new Uint8Array();
  const executor = await openGraphExecutor({
    ...{ kind: "onnx", version: "onnx", details: "", bfloat16Lack: undefined },
    open: async (program, inputs) => {
      ({ bytes } = lower(program, inputs));
      throw new Error("seen");
    },
  });
  const step: Step = (tf, { x }) => ({ g: tf.grad((a: Tensor) => tf.sum(f(tf, a)))(x!) });
  await executor.compile(step, {
    name: "slices",
    inputs: { x: { dtype: "float32", shape: ["rows", 6] } },
  });
  return Buffer.from(bytes).toString("latin1");
}

const part = (tf: TensorFlow, x: Tensor, from: number, size: number): Tensor =>
  tf.sum(tf.square(tf.slice(x, [0, from], [-1, size])), 1);

test("gradients of slices that make up a value are put side by side, not padded and added", async () => {
  const operators = await operatorsOf((tf, x) => tf.mul(part(tf, x, 0, 4), part(tf, x, 4, 2)));
  assert.match(operators, /Concat/);
  assert.doesNotMatch(operators, /Pad/);
});

test("where slices overlap, or leave something out, they are padded and added", async () => {
  for (const [from, size] of [
    [3, 3],
    [4, 1],
  ] as const) {
    const operators = await operatorsOf((tf, x) =>
      tf.mul(part(tf, x, 0, 4), part(tf, x, from, size)),
    );
    assert.match(operators, /Pad/);
  }
});
