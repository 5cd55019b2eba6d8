import { isHeddleError } from "@heddle/base";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { allExecutors } from "../fixtures/all-executors.ts";
import { relativeError } from "../fixtures/compare.ts";
import { openExecutor } from "../open-executor.ts";
import type { CompiledStep, Step, StepSpec, Tensor } from "../port.ts";

const spec: StepSpec = {
  name: "draws",
  inputs: {
    x: { dtype: "float32", shape: ["rows", 4] },
    w: { dtype: "float32", shape: [4, 3] },
  },
};

/** Every operation that draws, with shapes that grow with the rows and shapes that do not. */
const everyDraw: Step = (tf, { x, w }) => {
  const rows = x!.shape[0];
  return {
    uniform: tf.randomUniform([rows, 3], -1, 2),
    fixed: tf.randomUniform([5]),
    whole: tf.randomUniformInt([2 * rows + 1], -4, 9),
    normal: tf.randomNormal([rows, 2], 3, 0.5),
    rounded: tf.randomNormal([rows], 0, 9, "int32"),
    standard: tf.randomStandardNormal([3, rows]),
    truncated: tf.truncatedNormal([rows, 2], 1, 2),
    seeded: tf.randomUniform([rows], 0, 1, "float32", 42),
    dropped: tf.dropout(x!, 0.3),
    rowsDropped: tf.dropout(x!, 0.5, [rows, 1]),
    noisy: tf.matMul(tf.add(x!, tf.randomNormal([rows, 4], 0, 0.1)), tf.dropout(w!, 0.25)),
  };
};

const inputsOf = (rows: number): Record<string, Float32Array> => ({
  x: Float32Array.from({ length: rows * 4 }, (_, i) => Math.sin(i)),
  w: Float32Array.from({ length: 12 }, (_, i) => Math.cos(i)),
});

const reference = openExecutor({ kind: "tfjs" }).then((tfjs) => tfjs.compile(everyDraw, spec));

for (const { kind, options, open } of allExecutors) {
  test(
    `${kind}: drawn numbers are a function of the seed, the same bits in every executor`,
    options,
    async () => {
      await using step = await (await open()).compile(everyDraw, spec);
      assert.equal(step.fallbackReason, undefined);
      const judge = await reference;
      const number = fc.oneof(
        fc.nat(9),
        fc.nat(),
        fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.array(number, { maxLength: 4 }),
          fc.integer({ min: 1, max: 70 }),
          async (seed, rows) => {
            const inputs = inputsOf(rows);
            const want = await judge.run(inputs, rows, { seed });
            const got = await step.run(inputs, rows, { seed });
            // What only moves drawn numbers is equal to the bit; a product is not.
            const { noisy, ...moved } = want;
            assert.deepEqual({ ...got, noisy }, { ...moved, noisy });
            assert.ok(relativeError(noisy!, got["noisy"]!) < 1e-5);
            assert.deepEqual(await step.run(inputs, rows, { seed }), got);
            const other = await step.run(inputs, rows, { seed: [...seed, 0] });
            assert.notDeepEqual(other["fixed"], got["fixed"]);
            assert.deepEqual(other["seeded"], got["seeded"]);
          },
        ),
        { numRuns: 30 },
      );
    },
  );

  test(
    `${kind}: two calls draw apart, and fewer rows draw the first numbers of more`,
    options,
    async () => {
      const twice: Step = (tf, { x }) => ({
        a: tf.randomUniform(x!.shape),
        b: tf.randomUniform(x!.shape),
        c: tf.randomUniform(x!.shape, 0, 1, "float32", "same"),
        d: tf.randomUniform(x!.shape, 0, 1, "float32", "same"),
      });
      await using step = await (await open()).compile(twice, spec);
      const [few, many] = [
        await step.run(inputsOf(3), 3, { seed: [5] }),
        await step.run(inputsOf(50), 50, { seed: [5] }),
      ];
      assert.deepEqual(few["a"], many["a"]!.subarray(0, 12));
      assert.ok(many["a"]!.every((value, i) => value !== many["b"]![i]));
      assert.deepEqual(many["c"], many["d"]);
    },
  );

  test(
    `${kind}: a gradient passes where dropout let a number through, and scaled as it was`,
    options,
    async () => {
      const train: Step = (tf, { x, w }) => {
        const loss = (v: Tensor): Tensor =>
          tf.sum(tf.square(tf.matMul(tf.dropout(x!, 0.4), v as never)));
        const { value, grad } = tf.valueAndGrad((v: Tensor) => loss(v) as never)(w!);
        const byInput = tf.grad((v: Tensor) => tf.sum(tf.mul(tf.dropout(v, 0.4, undefined, 7), 3)));
        return {
          value,
          grad,
          byInput: byInput(x!),
          mask: tf.dropout(tf.onesLike(x!), 0.4, undefined, 7),
        };
      };
      await using step = await (await open()).compile(train, spec);
      assert.equal(step.fallbackReason, undefined);
      await using judge = await (await openExecutor({ kind: "tfjs" })).compile(train, spec);
      for (const rows of [1, 37, 200]) {
        const [got, want] = await Promise.all(
          [step, judge].map((its) => its.run(inputsOf(rows), rows, { seed: [1, rows] })),
        );
        for (const [name, values] of Object.entries(want!)) {
          assert.ok(relativeError(values, got![name]!) < 1e-5, `${name} with ${rows} rows`);
        }
        got!["byInput"]!.forEach((value, i) => {
          assert.ok(Math.abs(value - 3 * got!["mask"]![i]!) < 1e-5);
        });
        if (rows === 200) assert.ok(Math.abs(share(got!["mask"]!) - 0.6) < 0.1);
      }
    },
  );

  test(
    `${kind}: a step that draws is refused without a seed, and with one that is none`,
    options,
    async () => {
      const noise: Step = (tf, { x }) => ({ y: tf.dropout(x!, 0.5) });
      await using step = await (await open()).compile(noise, spec);
      await refused(step, undefined, /step "draws" draws random numbers: run it with a seed/);
      for (const seed of [[-1], [0.5], [2 ** 53], [NaN]]) {
        await refused(step, seed, /a seed is a list of whole numbers from 0/);
      }
      await using plain = await (await open()).compile((tf, { x }) => ({ y: tf.neg(x!) }), spec);
      await plain.run(inputsOf(1), 1, { seed: [3] });
      await using seeded = await (
        await open()
      ).compile((tf, { x }) => ({ y: tf.dropout(x!, 0.5, undefined, 9) }), spec);
      assert.equal((await seeded.run(inputsOf(1), 1))["y"]!.length, 4);
    },
  );

  test(
    `${kind}: arguments are TensorFlow.js's: rate 0 drops nothing, a rate of 1 is refused`,
    options,
    async () => {
      await using none = await (
        await open()
      ).compile((tf, { x }) => ({ y: tf.dropout(x!, 0) }), spec);
      const { x, w } = inputsOf(2);
      assert.deepEqual((await none.run({ x: x!, w: w! }, 2))["y"], x);
      const all: Step = (tf, { x: input }) => ({ y: tf.dropout(input!, 1) });
      await assert.rejects(
        (await open()).compile(all, spec),
        /rate must be a number in the range \[0, 1\)/,
      );
      const words: Step = (tf) => ({ y: tf.randomNormal([1], 0, 1, "bool" as never) });
      await assert.rejects((await open()).compile(words, spec), /normal numbers are no bool/);
    },
  );
}

test("a random operation outside of a step is refused", async () => {
  let kept: Parameters<Step>[0] | undefined;
  const step: Step = (tf, { x }) => {
    kept = tf;
    return { y: x! };
  };
  await using _ = await (await openExecutor({ kind: "tfjs" })).compile(step, spec);
  assert.throws(() => kept!.randomUniform([1]), /outside of its step/);
});

async function refused(
  step: CompiledStep,
  seed: readonly number[] | undefined,
  message: RegExp,
): Promise<void> {
  await assert.rejects(step.run(inputsOf(1), 1, seed === undefined ? {} : { seed }), (error) => {
    assert.ok(isHeddleError(error, "STEP_INPUT"));
    assert.match(error.message, message);
    return true;
  });
}

function share(mask: Float32Array): number {
  return mask.filter((value) => value !== 0).length / mask.length;
}
