import assert from "node:assert/strict";
import { test } from "node:test";
import { graphExecutors } from "./fixtures/graph-executors.ts";
import type { Step, StepSpec } from "./port.ts";

const width = 512;
const rows = 1_024;
const spec: StepSpec = {
  name: "twice",
  inputs: { x: { dtype: "float32", shape: ["rows", width] } },
};
const twice: Step = (tf, { x }) => {
  const y = tf.add(x!, x!);
  return { y, again: tf.add(x!, x!), last: tf.slice(y, [0, 0], [1, 1]) };
};

for (const { kind, options, open } of graphExecutors) {
  test(`results that go to the caller's memory take none beside it: ${kind}`, options, async () => {
    const executor = await open();
    await using step = await executor.compile(twice, spec);
    const x = new Float32Array(rows * width).fill(1.5);
    const y = new Float32Array(x.length);
    const run = () => step.run({ x }, rows, { into: { y } });
    const first = await run();
    assert.equal(first["y"], y);
    const before = process.memoryUsage().arrayBuffers;
    let last = first;
    for (let n = 0; n < 4; n++) last = await run();
    // Each `again` stays until it is collected; a copy of `y` would double that.
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 6 * y.byteLength, `${grown} bytes beside ${y.byteLength}`);
    assert.ok(y.every((value) => value === 3));
    // The same value under another name is whole, and so is what is read of the first run.
    for (const { again, last: one } of [first, last]) {
      assert.equal(again?.length, y.length);
      assert.ok(again?.every((value) => value === 3));
      assert.deepEqual(one, Float32Array.of(3));
    }
  });
}
