import assert from "node:assert/strict";
import { test } from "node:test";
import { models, rowCounts } from "../contract.ts";
import { relativeError } from "../fixtures/compare.ts";
import { graphExecutors } from "../fixtures/graph-executors.ts";
import { modelInputs } from "../fixtures/models.ts";
import { openExecutor } from "../open-executor.ts";
import type { Step, StepSpec } from "../port.ts";

const spec: StepSpec = {
  name: "scale",
  inputs: { x: { dtype: "float32", shape: ["rows", 3] } },
};

const x = Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6);

let calls = 0;

/** Steps that cannot be a graph, and what the reason must name. */
const fallbacks: Readonly<Record<string, readonly [Step, RegExp]>> = {
  "reads an input's value": [
    (tf, { x }) => ({ y: tf.mul(x!, x!.dataSync()[0]!) }),
    /reads the value of input "x" in JavaScript/,
  ],
  "reads a computed value": [
    (tf, { x }) => ({ y: tf.sum(x!).dataSync()[0]! > 0 ? x! : tf.neg(x!) }),
    /reads the value of a tensor in JavaScript/,
  ],
  "asks for a value to come later": [
    (tf, { x }) => {
      void tf.sum(x!).data();
      return { y: x! };
    },
    /reads the value of a tensor in JavaScript/,
  ],
  "hides that it reads": [
    (tf, { x }) => {
      try {
        return { y: tf.mul(x!, x!.dataSync()[0]!) };
      } catch {
        return { y: x! };
      }
    },
    /reads the value of input "x" in JavaScript/,
  ],
  "draws a number": [(tf, { x }) => ({ y: tf.mul(x!, Math.random()) }), /draws a random number/],
  "draws by an operation that has no lowering": [
    (tf, { x }) => ({ y: tf.mul(x!, tf.randomGamma([3], 2)) }),
    /draws a random number that no seed names/,
  ],
  "draws otherwise for other sizes": [
    (tf, { x }) => ({ y: tf.mul(x!, tf.randomUniform([3], 0, x!.shape[0])) }),
    /random operations got other arguments/,
  ],
  "reads a drawn number": [
    (tf, { x }) => ({ y: tf.mul(x!, tf.randomUniform([1]).dataSync()[0]!) }),
    /reads the value of a tensor in JavaScript/,
  ],
  "draws by a kernel": [
    (tf, { x }) => ({ y: tf.mul(x!, tf.cast(tf.multinomial([0.5, 0.5], 3, 1), "float32")) }),
    /draws random numbers \(kernel Multinomial\)/,
  ],
  "counts its calls": [
    (tf, { x }) => ({ y: tf.mul(x!, ++calls) }),
    /a number made in JavaScript changed between two recordings/,
  ],
  "makes another tensor at each call": [
    (tf, { x }) => ({ y: tf.mul(x!, tf.tensor1d([1, 2, ++calls])) }),
    /a tensor of shape \[3\] made in JavaScript changed/,
  ],
  "calls other kernels for other sizes": [
    (tf, { x }) => ({ y: x!.shape[0] > 20 ? tf.neg(x!) : tf.exp(x!) }),
    /called other kernels/,
  ],
  "halves the rows, rounding": [
    (tf, { x }) => ({ y: tf.slice(x!, [0, 0], [Math.ceil(x!.shape[0] / 4), 3]) }),
    /was 6 with 23 rows and 4 with 13/,
  ],
  "changes beyond the recorded sizes": [
    (tf, { x }) => ({ y: x!.shape[0] > 30 ? tf.neg(x!) : tf.exp(x!) }),
    /output "y" of the graph is off by .* on 37 rows/,
  ],
  "gives other sizes beyond the recorded sizes": [
    (tf, { x }) => ({ y: tf.slice(x!, [0, 0], [Math.min(x!.shape[0], 30), 3]) }),
    /output "y" of the graph is off by Infinity on 37 rows/,
  ],
  "needs a kernel without a rule": [
    (tf, { x }) => ({ y: tf.cumprod(x!, 0) }),
    /kernel Cumprod has no (ONNX|TensorFlow) lowering/,
  ],
  "gives no finite results": [
    (tf, { x }) => ({ y: tf.log(tf.neg(tf.square(x!))) }),
    /no finite results on random rows/,
  ],
  "compares text": [
    (tf, { x }) => {
      const same = tf.equal(tf.tensor1d(["a", "b", "a"]), tf.scalar("a"));
      return { y: tf.mul(x!, tf.cast(same, "float32")) };
    },
    /a tensor of type string/,
  ],
};

for (const { kind, options, open } of graphExecutors) {
  for (const model of models) {
    test(
      `${kind}: ${model.name} runs as a graph, which agrees with TensorFlow.js to 1e-5`,
      options,
      async () => {
        const executor = await open();
        const tfjs = await openExecutor({ kind: "tfjs" });
        for (const [step, its] of [
          [model.train, model.spec],
          [model.predict, model.predictSpec],
        ] as const) {
          await using graph = await executor.compile(step, its);
          await using opByOp = await tfjs.compile(step, its);
          assert.equal(graph.fallbackReason, undefined);
          assert.match(graph.description, new RegExp(`^${kind} [\\d.]+ \\(graph\\)$`));
          assert.match(opByOp.description, /^tfjs-wasm [\d.]+ \(op by op\)$/);
          for (const rows of rowCounts) {
            const inputs = modelInputs(its, rows);
            const [got, want] = [await graph.run(inputs, rows), await opByOp.run(inputs, rows)];
            for (const [key, values] of Object.entries(want)) {
              const error = relativeError(values, got[key]!);
              assert.ok(error < 1e-5, `${key} with ${rows} rows is off by ${error}`);
            }
          }
        }
      },
    );
  }

  for (const [name, [step, reason]] of Object.entries(fallbacks)) {
    test(`${kind}: a step that ${name} runs op by op and says why`, options, async () => {
      await using compiled = await (await open()).compile(step, spec);
      assert.match(compiled.fallbackReason ?? "", reason);
      const { y } = await compiled.run({ x }, 2, { seed: [1] });
      assert.ok(y!.every((value) => !Number.isFinite(value) || Math.abs(value) < 1e3));
    });
  }

  test(
    `${kind}: a fallback gives what the step gives now, not what it gave when it was tried`,
    options,
    async () => {
      let factor = 0;
      const step: Step = (tf, { x }) => ({ y: tf.mul(x!, (factor += 1)) });
      await using compiled = await (await open()).compile(step, spec);
      assert.ok(compiled.fallbackReason);
      factor = 9;
      assert.deepEqual(
        (await compiled.run({ x }, 2))["y"],
        Float32Array.from(x, (v) => v * 10),
      );
    },
  );

  test(`${kind}: sizes that grow with the rows are computed in the graph`, options, async () => {
    const step: Step = (tf, { x }) => {
      const rows = x!.shape[0];
      return {
        twice: tf.tile(x!, [2, 1]),
        more: tf.pad(x!, [
          [1, 2],
          [0, 0],
        ]),
        spread: tf.broadcastTo(tf.sum(x!, 0, true), [rows, 3]),
        share: tf.div(tf.sum(x!), rows),
        count: tf.mul(tf.ones([2]), rows),
        flat: tf.reshape(x!, [3 * rows]),
        corner: tf.matMul(tf.slice(x!, [0, 0], [rows, 1]), tf.ones([1, rows])),
      };
    };
    await using compiled = await (await open()).compile(step, spec);
    assert.equal(compiled.fallbackReason, undefined);
    for (const rows of [1, 2, 50]) {
      const input = Float32Array.from({ length: rows * 3 }, (_, i) => i / 7);
      const sum = input.reduce((total, value) => total + value, 0);
      const got = await compiled.run({ x: input }, rows);
      const sizes = Object.fromEntries(Object.entries(got).map(([key, v]) => [key, v.length]));
      const all = 3 * rows;
      assert.deepEqual(sizes, {
        twice: 2 * all,
        more: all + 9,
        spread: all,
        share: 1,
        count: 2,
        flat: all,
        corner: rows * rows,
      });
      assert.ok(Math.abs(got["share"]![0]! / (sum / rows) - 1) < 1e-6);
      assert.deepEqual(got["count"], Float32Array.of(rows, rows));
    }
  });

  test(
    `${kind}: a step whose ids must stay within a table of one row is checked with such ids`,
    options,
    async () => {
      const step: Step = (tf, { table, ids }) => ({ y: tf.gather(table!, ids!) });
      await using compiled = await (
        await open()
      ).compile(step, {
        name: "one row",
        inputs: {
          table: { dtype: "float32", shape: [1, 2] },
          ids: { dtype: "int32", shape: ["rows"] },
        },
      });
      assert.equal(compiled.fallbackReason, undefined);
      const inputs = { table: Float32Array.of(5, 6), ids: Int32Array.of(0, 0) };
      assert.deepEqual((await compiled.run(inputs, 2))["y"], Float32Array.of(5, 6, 5, 6));
    },
  );

  test(
    `${kind}: recording leaves TensorFlow.js as it was: no tensor, no patch, the same backend`,
    options,
    async () => {
      const tf = await import("@tensorflow/tfjs-core");
      const executor = await open();
      const before = [
        tf.memory().numTensors,
        tf.getBackend(),
        Math.random,
        Object.keys(tf.engine()),
      ];
      for (const model of models) {
        await using _ = await executor.compile(model.train, model.spec);
      }
      for (const [step] of Object.values(fallbacks)) {
        await using _ = await executor.compile(step, spec);
      }
      assert.deepEqual(
        [tf.memory().numTensors, tf.getBackend(), Math.random, Object.keys(tf.engine())],
        before,
      );
    },
  );
}
