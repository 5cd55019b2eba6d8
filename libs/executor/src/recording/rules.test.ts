import assert from "node:assert/strict";
import { test } from "node:test";
import { relativeError } from "../fixtures/compare.ts";
import { graphExecutors } from "../fixtures/graph-executors.ts";
import { modelInputs } from "../fixtures/models.ts";
import { openExecutor } from "../open-executor.ts";
import type { Step, StepSpec, Tensor, TensorFlow } from "../port.ts";

type Operation = (tf: TensorFlow, x: never, y: never, mask: never) => Tensor;

/** All three are [rows, 6], in ±0.5; each operation is differentiated by x and y. */
const operations: Readonly<Record<string, Operation>> = {
  abs: (tf, x) => tf.abs(x),
  "acos, asin, atan": (tf, x) => tf.add(tf.acos(x), tf.add(tf.asin(x), tf.atan(x))),
  addN: (tf, x, y) => tf.addN([x, y, x]),
  batchNorm: (tf, x, y) => {
    const { mean, variance } = tf.moments(x, 0);
    return tf.batchNorm(x, mean, variance, tf.mean(y, 0), tf.max(y, 0), 0.01);
  },
  broadcastTo: (tf, x) => tf.broadcastTo(tf.sum(x, 0, true), (x as Tensor).shape),
  "ceil, floor, round, sign": (tf, x) =>
    tf.addN([tf.ceil(x), tf.floor(x), tf.round(x), tf.sign(x), tf.square(x)]),
  clipByValue: (tf, x) => tf.clipByValue(x, -0.2, 0.3),
  concat: (tf, x, y) => tf.concat([x, tf.square(y), x], 1),
  "concat by rows": (tf, x, y) => tf.concat([x, tf.ones([2, 6]), y], 0),
  cumsum: (tf, x) => tf.square(tf.cumsum(x, 1, true)),
  div: (tf, x, y) => tf.div(x, tf.add(tf.square(y), 1)),
  elu: (tf, x) => tf.elu(x),
  erf: (tf, x) => tf.erf(x),
  exp: (tf, x) => tf.exp(x),
  "expandDims, squeeze": (tf, x) => tf.squeeze(tf.square(tf.expandDims(x, 1))),
  fill: (tf, x) => tf.mul(x, tf.fill([6], 3)),
  "fused matMul": (tf, x, y) =>
    tf.fused.matMul({ a: x, b: y, transposeB: true, bias: tf.scalar(0.1), activation: "relu" }),
  "gather by constant ids": (tf, x) => tf.square(tf.gather(x, [5, 0, 0, 3], 1)),
  leakyRelu: (tf, x) => tf.leakyRelu(x, 0.1),
  expm1: (tf, x) => tf.expm1(x),
  "gather for each of a batch": (tf, x) => {
    const ids = tf.tensor2d(
      [
        [1, 0],
        [2, 2],
      ],
      [2, 2],
      "int32",
    );
    const stacks = tf.reshape(tf.sum(x, 0), [2, 3]);
    return tf.square(tf.gather(stacks, ids, 1, 1));
  },
  hyperbolic: (tf, x) => tf.addN([tf.sinh(x), tf.cosh(x), tf.asinh(x), tf.atanh(x), tf.tan(x)]),
  log: (tf, x) => tf.log(tf.add(x, 1)),
  log1p: (tf, x) => tf.log1p(x),
  logSoftmax: (tf, x) => tf.logSoftmax(x),
  "matMul, stacked": (tf, x, y) => {
    const [a, b] = [tf.reshape(x, [-1, 2, 3]), tf.reshape(y, [-1, 2, 3])];
    return tf.matMul(a, b, true, false);
  },
  "matMul, stacked, plain": (tf, x, y) => {
    const [a, b] = [tf.reshape(x, [-1, 2, 3]), tf.reshape(y, [-1, 3, 2])];
    return tf.matMul(a, b);
  },
  "matMul, transposed": (tf, x, y) => tf.matMul(x, y, true, false),
  "max, min": (tf, x) => tf.add(tf.max(x, 1), tf.min(x, 1)),
  "maximum, minimum": (tf, x, y) => tf.sub(tf.maximum(x, y), tf.minimum(x, 0.1)),
  mean: (tf, x) => tf.square(tf.mean(x)),
  "mean by rows": (tf, x) => tf.square(tf.mean(x, 0, true)),
  pad: (tf, x) =>
    tf.square(
      tf.pad(
        x,
        [
          [1, 0],
          [0, 2],
        ] as never,
        0.5,
      ),
    ),
  pow: (tf, x) => tf.pow(tf.add(x, 1), 2.5),
  relu6: (tf, x) => tf.relu6(tf.mul<Tensor>(x, 20)),
  prelu: (tf, x, y) => tf.prelu(x, tf.mean(y, 0)),
  remainder: (tf, x, y) => tf.mod(x, tf.add<Tensor>(tf.square(y), 0.13)),
  reshape: (tf, x) => tf.reshape(x, [-1, 2, 3]),
  reverse: (tf, x) => tf.mul(tf.reverse(x, 1), tf.range(0, 6)),
  "reverse by rows": (tf, x) => tf.mul(x, tf.reverse(x, [0])),
  rsqrt: (tf, x) => tf.rsqrt(tf.add<Tensor>(x, 1)),
  selu: (tf, x) => tf.selu(x),
  "sigmoid, tanh": (tf, x, y) => tf.mul(tf.sigmoid(x), tf.tanh(y)),
  "sin, cos": (tf, x) => tf.mul(tf.sin(x), tf.cos(x)),
  "slices side by side": (tf, x) => {
    const [first, second, third] = [
      [0, 1],
      [1, 3],
      [4, 2],
    ].map(([from = 0, size = 0]) => tf.sum(tf.square(tf.slice(x, [0, from], [-1, size])), 1));
    return tf.mul(first!, tf.sub(second!, third!));
  },
  "slices that overlap": (tf, x) =>
    tf.mul(tf.slice(x, [0, 0], [-1, 4]), tf.slice(x, [0, 2], [-1, 4])),
  slice: (tf, x) => tf.square(tf.slice(x, [1, 2], [-1, 3])),
  softmax: (tf, x) => tf.square(tf.softmax(x)),
  softplus: (tf, x) => tf.softplus(x),
  "split by columns": (tf, x) => {
    const [a, b, c] = tf.split(x, [1, 2, 3], 1);
    return tf.add(tf.mul(a!, tf.sum(b!, 1, true)), tf.square(c!));
  },
  squaredDifference: (tf, x, y) => tf.squaredDifference(x, y),
  "stack, unstack": (tf, x, y) => {
    const [a, b] = tf.unstack(tf.stack([x, y], 1), 1);
    return tf.sub(tf.square(a!), b!);
  },
  "sum of squares": (tf, x) => tf.sqrt(tf.sum(tf.square(x), [0, 1])),
  tile: (tf, x) => tf.square(tf.tile(x, [1, 2])),
  transpose: (tf, x) => tf.square(tf.transpose(x)),
  "where, comparisons": (tf, x, y, mask) => {
    const some = tf.logicalOr(tf.less(mask, -0.3), tf.greaterEqual(mask, 0.4));
    const both = tf.logicalAnd(tf.lessEqual(mask, 0), tf.logicalNot(tf.equal(mask, 0)));
    return tf.where(some, tf.square(x), tf.where(both, y, tf.where(tf.notEqual(mask, 0.1), x, y)));
  },
  "x counted in whole numbers": (tf, x, _, mask) =>
    tf.mul(x, tf.cast(tf.sum(tf.cast(tf.greater(mask, 0), "int32")), "float32")),
  zerosLike: (tf, x) => tf.add(x, tf.add(tf.zerosLike(x), tf.onesLike(x))),
};

const spec: StepSpec = {
  name: "operation",
  inputs: {
    x: { dtype: "float32", shape: ["rows", 6] },
    y: { dtype: "float32", shape: ["rows", 6] },
    mask: { dtype: "float32", shape: ["rows", 6] },
  },
};

for (const { kind, options, open } of graphExecutors) {
  for (const [name, operation] of Object.entries(operations)) {
    test(
      `${kind}, ${name}: the graph gives the values and gradients of TensorFlow.js`,
      options,
      async () => {
        const step: Step = (tf, { x, y, mask }) => {
          const loss = (a: Tensor, b: Tensor): Tensor => {
            const z = operation(tf, a as never, b as never, mask as never);
            // Both inputs take part, and no gradient is flat.
            return tf.add(tf.sum(tf.mul(z, tf.sigmoid(z))), tf.add(tf.sum(a), tf.sum(b)));
          };
          const { value, grads } = tf.valueAndGrads(loss)([x!, y!]);
          const z = operation(tf, x as never, y as never, mask as never);
          return { z, value, gx: grads[0]!, gy: grads[1]! };
        };
        const onnx = await open();
        const tfjs = await openExecutor({ kind: "tfjs" });
        await using graph = await onnx.compile(step, spec);
        await using opByOp = await tfjs.compile(step, spec);
        assert.equal(graph.fallbackReason, undefined);
        for (const rows of [2, 6, 9]) {
          const inputs = modelInputs(spec, rows);
          const [got, want] = [await graph.run(inputs, rows), await opByOp.run(inputs, rows)];
          for (const [key, values] of Object.entries(want)) {
            const error = relativeError(values, got[key]!);
            assert.ok(error < 1e-5, `${key} with ${rows} rows is off by ${error}`);
          }
        }
        assert.equal(graph.fallbackReason, undefined);
      },
    );
  }

  test(`${kind}: kernels without a gradient are lowered as well`, options, async () => {
    const step: Step = (tf, { x, y }) => ({
      prod: tf.prod(tf.add(x!, 1), 1),
      einsum: tf.einsum("ij,ik->jk", x!, y!),
      elu: tf.fused.matMul({ a: x!, b: tf.ones([6, 2]), activation: "elu" }),
      isNaN: tf.isNaN(tf.sqrt(tf.sub(x!, 9))),
      reciprocal: tf.reciprocal(tf.add(x!, 1)),
      range: tf.mul(x!, tf.range(0, 6)),
      negative: tf.neg(y!),
      acosh: tf.acosh(tf.add(x!, 2)),
      all: tf.cast(tf.all(tf.greater(x!, -0.4), 1), "float32"),
      any: tf.cast(tf.any(tf.greater(x!, 0.4)), "float32"),
      argMax: tf.argMax(x!, 1),
      argMin: tf.argMin(x!, 0),
      finite: tf.isFinite(tf.div(1, tf.relu(x!))),
      infinite: tf.isInf(tf.div(1, tf.relu(x!))),
      floorDiv: tf.floorDiv(tf.mul(x!, 9), tf.add(tf.square(y!), 0.5)),
      floorDivInts: tf.floorDiv(tf.cast(tf.mul(x!, 99), "int32"), tf.scalar(-7, "int32")),
      gatherNd: tf.gatherND(
        x!,
        tf.tensor2d(
          [
            [1, 2],
            [0, 5],
          ],
          [2, 2],
          "int32",
        ),
      ),
      modNegative: tf.mod(tf.mul(x!, 9), -0.7),
      oneHot: tf.oneHot(tf.argMax(x!, 1), 4, 3, -1),
      prefix: tf.stridedSlice(x!, [0, 1], [2, 6], [1, 2]),
      backwards: tf.stridedSlice(x!, [0, 5], [0, 0], [1, -2], 1, 1),
      column: tf.stridedSlice(x!, [0, -1], [0, 0], [1, 1], 1, 1, 0, 0, 2),
      topk: tf.topk(x!, 3).values,
      topkPlaces: tf.topk(x!, 3).indices,
      topkTies: tf.topk(tf.round(tf.mul(x!, 3)), 4).indices,
      constantRead: tf.mul(x!, tf.neg(3).dataSync()[0]!),
    });
    const [onnx, tfjs] = [await open(), await openExecutor({ kind: "tfjs" })];
    await using graph = await onnx.compile(step, spec);
    await using opByOp = await tfjs.compile(step, spec);
    assert.equal(graph.fallbackReason, undefined);
    const inputs = modelInputs(spec, 5);
    const [got, want] = [await graph.run(inputs, 5), await opByOp.run(inputs, 5)];
    for (const [key, values] of Object.entries(want)) {
      assert.ok(relativeError(values, got[key]!) < 1e-5, key);
    }
  });

  test(`${kind}: log1p keeps its relative precision near zero`, options, async () => {
    const step: Step = (tf, { x }) => ({ log1p: tf.log1p(x!) });
    const x = Float32Array.of(1e-8, -3e-7, 3e-7, 1e-4, 0.1, 0.5, 10);
    await using graph = await (
      await open()
    ).compile(step, {
      name: "log1p",
      inputs: { x: { dtype: "float32", shape: ["rows"] } },
    });
    const { log1p } = await graph.run({ x }, x.length);
    x.forEach((z, i) => {
      assert.ok(Math.abs(log1p![i]! / Math.log1p(z) - 1) < 1e-6, `log1p(${z}) is ${log1p![i]}`);
    });
  });

  test(
    `${kind}: sigmoid and softplus keep their relative precision far from zero`,
    options,
    async () => {
      const step: Step = (tf, { x }) => ({ sigmoid: tf.sigmoid(x!), softplus: tf.softplus(x!) });
      const x = Float32Array.of(-80, -30, -16, -5, -1, 0, 1e-6, 3, 20, 90);
      await using graph = await (
        await open()
      ).compile(step, {
        name: "tails",
        inputs: { x: { dtype: "float32", shape: ["rows"] } },
      });
      const { sigmoid, softplus } = await graph.run({ x }, x.length);
      x.forEach((z, i) => {
        const [p, s] = [
          1 / (1 + Math.exp(-z)),
          Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))),
        ];
        assert.ok(
          Math.abs(sigmoid![i]! / p - 1) < 1e-5,
          `sigmoid(${z}) is ${sigmoid![i]}, not ${p}`,
        );
        assert.ok(
          Math.abs(softplus![i]! / s - 1) < 1e-5,
          `softplus(${z}) is ${softplus![i]}, not ${s}`,
        );
      });
    },
  );
}
