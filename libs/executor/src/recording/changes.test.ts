import { isHeddleError } from "@heddle/base";
import assert from "node:assert/strict";
import { test } from "node:test";
import { models } from "../contract.ts";
import { graphExecutors } from "../fixtures/graph-executors.ts";
import { modelInputs } from "../fixtures/models.ts";
import { openExecutor } from "../open-executor.ts";
import type { Step, StepSpec, Tensor } from "../port.ts";

const spec: StepSpec = {
  name: "scale",
  inputs: { x: { dtype: "float32", shape: ["rows", 3] } },
};
const x = Float32Array.of(1, 2, 3);

/** Steps that take something from outside, what changes it, and what the refusal must name. */
const changes: Readonly<Record<string, () => { step: Step; change(): void; says: RegExp }>> = {
  "a number of its closure changes": () => {
    let rate = 0.5;
    return {
      step: (tf, { x }) => ({ y: tf.mul(x!, rate) }),
      change: () => (rate = 0.25),
      says: /input b of kernel Multiply \(call 1\) was 0.5 and is 0.25/,
    };
  },
  "an array of its closure changes": () => {
    const scales = [1, 2, 3];
    return {
      step: (tf, { x }) => ({ y: tf.mul(x!, tf.tensor1d(scales)) }),
      change: () => (scales[1] = 7),
      says: /input b of kernel Multiply \(call 1\) was 2 and is 7 in element 1/,
    };
  },
  "an attribute changes": () => {
    let limit = 1;
    return {
      step: (tf, { x }) => ({ y: tf.clipByValue(x!, 0, limit) }),
      change: () => (limit = 2),
      says: /attribute clipValueMax of kernel ClipByValue \(call 1\) was 1 and is 2/,
    };
  },
  "it takes another branch": () => {
    let warm = false;
    return {
      step: (tf, { x }) => ({ y: warm ? tf.square(x!) : tf.neg(x!) }),
      change: () => (warm = true),
      says: /it calls kernel Square \(call 1\) instead of Neg/,
    };
  },
  "it leaves something out": () => {
    let done = false;
    return {
      step: (tf, { x }) => ({ y: done ? tf.neg(x!) : tf.exp(tf.neg(x!)) }),
      change: () => (done = true),
      says: /it no longer calls kernel Exp/,
    };
  },
  "it gives another output": () => {
    let more = false;
    return {
      step: (tf, { x }) => ({ y: tf.neg(x!), ...(more ? { z: x! } : {}) }),
      change: () => (more = true),
      says: /output "z" is new/,
    };
  },
  "a constant output changes": () => {
    let version = 1;
    return {
      step: (tf, { x }) => ({ y: tf.neg(x!), version: tf.scalar(version) }),
      change: () => (version = 2),
      says: /output "version" was 1 and is 2/,
    };
  },
  "its dropout is switched off": () => {
    let rate = 0.5;
    return {
      step: (tf, { x }) => ({ y: tf.dropout(x!, rate) }),
      change: () => (rate = 0.1),
      says: /a random operation has other arguments/,
    };
  },
  "it starts to read values": () => {
    let curious = false;
    return {
      step: (tf, { x }) => {
        if (curious) x!.dataSync();
        return { y: tf.neg(x!) };
      },
      change: () => (curious = true),
      says: /reads the value of input "x" in JavaScript/,
    };
  },
  "it starts to draw by itself": () => {
    let noisy = false;
    return {
      step: (tf, { x }) => ({ y: tf.mul(x!, noisy ? Math.random() : 1) }),
      change: () => (noisy = true),
      says: /draws a random number that no seed names/,
    };
  },
  "it throws": () => {
    let broken = false;
    return {
      step: (tf, { x }) => {
        if (broken) throw new Error("no such layer");
        return { y: tf.neg(x!) };
      },
      change: () => (broken = true),
      says: /no such layer/,
    };
  },
};

for (const { kind, options, open } of graphExecutors) {
  for (const [name, make] of Object.entries(changes)) {
    test(`${kind}: a step is refused once ${name}, which is named`, options, async () => {
      const { step, change, says } = make();
      await using compiled = await (await open()).compile(step, spec);
      assert.equal(compiled.fallbackReason, undefined);
      const run = (): Promise<unknown> => compiled.run({ x }, 1, { seed: [1] });
      for (let i = 1; i <= 5; i++) await run();
      change();
      for (let i = 6; i <= 7; i++) await run();
      // Run 8 is looked at, and whatever comes after is refused as well.
      for (let i = 8; i <= 9; i++) {
        await assert.rejects(run(), (error) => {
          assert.ok(isHeddleError(error, "STEP_CHANGED") && error.code === "FAILED_PRECONDITION");
          assert.match(error.message, /^step "scale" is not what was compiled: .* since run 4: /);
          assert.match(error.message, says);
          return true;
        });
      }
    });
  }

  test(`${kind}: a step that changed may be compiled again`, options, async () => {
    let rate = 2;
    const step: Step = (tf, { x }) => ({ y: tf.mul(x!, rate) });
    const executor = await open();
    await using before = await executor.compile(step, spec);
    rate = 3;
    await assert.rejects(before.run({ x }, 1), /was 2 and is 3/);
    await using after = await executor.compile(step, spec);
    assert.deepEqual((await after.run({ x }, 1))["y"], Float32Array.of(3, 6, 9));
  });

  test(`${kind}: what changes late is found at the next 256th run`, options, async () => {
    let rate = 2;
    await using compiled = await (
      await open()
    ).compile((tf, { x }) => ({ y: tf.mul(x!, rate) }), spec);
    for (let i = 1; i <= 600; i++) await compiled.run({ x }, 1);
    rate = 3;
    for (let i = 601; i < 768; i++) await compiled.run({ x }, 1);
    await assert.rejects(compiled.run({ x }, 1), /was 2 and is 3; .* since run 512/);
  });

  test(
    `${kind}: a step that branches on sizes runs op by op where the other branch is taken`,
    options,
    async () => {
      const step: Step = (tf, { x }) => ({ y: x!.shape[0] > 100 ? tf.neg(x!) : tf.square(x!) });
      await using compiled = await (await open()).compile(step, spec);
      assert.equal(compiled.fallbackReason, undefined);
      for (const rows of [1, 100, 101, 100, 400]) {
        const many = Float32Array.from({ length: rows * 3 }, (_, i) => i % 7);
        const { y } = await compiled.run({ x: many }, rows);
        assert.deepEqual(
          y,
          many.map((value) => (rows > 100 ? -value : value * value)),
        );
      }
      assert.match(
        compiled.fallbackReason ?? "",
        /with 101 rows it is another step, which runs op by op: it calls kernel Neg \(call 1\) instead of Square/,
      );
    },
  );

  test(`${kind}: numbers computed from sizes in JavaScript are seen, too`, options, async () => {
    const step: Step = (tf, { x }) => ({ y: tf.mul(x!, Math.min(x!.shape[0] / 50, 2)) });
    await using compiled = await (await open()).compile(step, spec);
    assert.equal(compiled.fallbackReason, undefined);
    for (const [rows, factor] of [
      [50, 1],
      [100, 2],
      [200, 2],
    ] as const) {
      const { y } = await compiled.run({ x: new Float32Array(rows * 3).fill(1) }, rows);
      assert.ok(y!.every((value) => Math.abs(value - factor) < 1e-6));
    }
    assert.match(compiled.fallbackReason ?? "", /with 200 rows .* was 4 and is 2/);
  });

  test(
    `${kind}: models as they are stay graphs, whatever the number of rows and of runs`,
    options,
    async () => {
      const executor = await open();
      const tf = await import("@tensorflow/tfjs-core");
      for (const model of models) {
        await using step = await executor.compile(model.train, model.spec);
        const { numTensors } = tf.memory();
        for (const rows of [1, 2, 4, 6, 8, 16, 24, 64]) {
          for (let i = 0; i < 40; i++) await step.run(modelInputs(model.spec, rows), rows);
        }
        assert.equal(step.fallbackReason, undefined);
        assert.equal(tf.memory().numTensors, numTensors);
      }
    },
  );

  test(
    `${kind}: a look at a step leaves TensorFlow.js as it was, also when it throws`,
    options,
    async () => {
      const tf = await import("@tensorflow/tfjs-core");
      const kernels = (): unknown[] => tf.getKernelsForBackend("cpu").map((its) => its.kernelFunc);
      const kept: Tensor[] = [];
      let broken = false;
      const executor = await open();
      const before = kernels();
      await using step = await executor.compile((given, { x }) => {
        kept.push(given.keep(given.neg(x!)));
        if (broken) throw new Error("broken");
        return { y: given.neg(x!) };
      }, spec);
      broken = true;
      const { numTensors } = tf.memory();
      const random = Math.random;
      await assert.rejects(step.run({ x }, 1), /broken/);
      assert.deepEqual(kernels(), before);
      assert.equal(tf.memory().numTensors, numTensors);
      assert.equal(Math.random, random);
    },
  );
}

test("a step op by op is never stale: there is nothing to look at", async () => {
  let rate = 2;
  const executor = await openExecutor({ kind: "tfjs" });
  await using step = await executor.compile((tf, { x }) => ({ y: tf.mul(x!, rate) }), spec);
  rate = 3;
  assert.deepEqual((await step.run({ x }, 1))["y"], Float32Array.of(3, 6, 9));
});
