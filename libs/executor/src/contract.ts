import { isHeddleError } from "@heddle/base";
import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { relativeError } from "./fixtures/compare.ts";
import {
  crossNetwork,
  factorisationMachine,
  type Model,
  modelInputs,
  wideAndDeep,
} from "./fixtures/models.ts";
import { wideAndDeepOracle } from "./fixtures/oracle.ts";
import type { Executor, Step, StepSpec } from "./port.ts";

const layerSizes = [24, 16, 8, 1] as const;

/** The models that every executor must run. */
export const models: readonly Model[] = [
  wideAndDeep(layerSizes),
  crossNetwork(24),
  factorisationMachine(6, 4),
];

export const rowCounts = [1, 17, 64, 1024] as const;

const double: Step = (tf, { x }) => ({ y: tf.mul(x!, 2), sum: tf.sum(x!) });
const doubleSpec: StepSpec = {
  name: "double",
  inputs: { x: { dtype: "float32", shape: ["rows", 2] } },
};

/** What every executor promises; the suite runs on each of them. */
export function executorContract(
  name: string,
  open: () => Promise<Executor>,
  { skip = false }: { readonly skip?: string | false } = {},
): void {
  const test = (claim: string, run: () => Promise<void>): void => {
    void nodeTest(`${name}: ${claim}`, { skip }, run);
  };
  for (const model of models) {
    test(`${model.name} runs with any number of rows, and predicts as it trains`, async () => {
      const executor = await open();
      await using train = await executor.compile(model.train, model.spec);
      await using predict = await executor.compile(model.predict, model.predictSpec);
      for (const rows of rowCounts) {
        const inputs = modelInputs(model.spec, rows);
        const trained = await train.run(inputs, rows);
        assert.equal(trained["loss"]!.length, 1);
        for (const key of Object.keys(model.predictSpec.inputs)) {
          assert.equal(trained[`grad_${key}`]!.length, inputs[key]!.length);
        }
        const { label: _label, weight: _weight, ...features } = inputs;
        const { predictions } = await predict.run(features, rows);
        assert.ok(relativeError(trained["predictions"]!, predictions!) < 1e-6);
      }
    });
  }

  test(`loss and gradients of wide and deep are those of float64 loops to 1e-5`, async () => {
    const model = wideAndDeep(layerSizes);
    await using step = await (await open()).compile(model.train, model.spec);
    for (const rows of rowCounts) {
      const inputs = modelInputs(model.spec, rows);
      const got = await step.run(inputs, rows);
      const want = wideAndDeepOracle(layerSizes, inputs, rows);
      assert.deepEqual(Object.keys(got).sort(), Object.keys(want).sort());
      for (const [key, values] of Object.entries(want)) {
        const error = relativeError(values, got[key]!);
        assert.ok(error < 1e-5, `${key} with ${rows} rows is off by ${error}`);
      }
    }
  });

  test(`the same inputs give the same bytes, also when the step is compiled anew`, async () => {
    const executor = await open();
    for (const model of models) {
      const inputs = modelInputs(model.spec, 64);
      await using one = await executor.compile(model.train, model.spec);
      await using two = await executor.compile(model.train, model.spec);
      const first = await one.run(inputs, 64);
      await one.run(modelInputs(model.spec, 17), 17);
      for (const again of await Promise.all([one.run(inputs, 64), two.run(inputs, 64)])) {
        assert.deepEqual(again, first);
      }
    }
  });

  test(`outputs belong to the caller and inputs stay as they were`, async () => {
    const executor = await open();
    const pass: Step = (tf, { x }) => ({ same: x!, double: tf.mul(x!, 2) });
    await using step = await executor.compile(pass, doubleSpec);
    const x = Float32Array.of(1, 2, 3, 4);
    const first = await step.run({ x }, 2);
    first["same"]!.fill(9);
    first["double"]!.fill(9);
    assert.deepEqual(x, Float32Array.of(1, 2, 3, 4));
    const again = await step.run({ x }, 2);
    assert.deepEqual(again["same"], x);
    assert.deepEqual(again["double"], Float32Array.of(2, 4, 6, 8));
  });

  test(`outputs are written where the caller says, those of other names are its own`, async () => {
    const executor = await open();
    const pass: Step = (tf, { x }) => ({ same: x!, double: tf.mul(x!, 2) });
    await using step = await executor.compile(pass, doubleSpec);
    const shared = new Float32Array(new SharedArrayBuffer(32)).fill(7);
    const place = shared.subarray(2, 6);
    const into = { double: place };
    const first = await step.run({ x: Float32Array.of(1, 2, 3, 4) }, 2, { into });
    assert.equal(first["double"], place);
    assert.deepEqual([...shared], [7, 7, 2, 4, 6, 8, 7, 7]);
    await step.run({ x: Float32Array.of(5, 6, 7, 8) }, 2, { into });
    assert.deepEqual([...shared], [7, 7, 10, 12, 14, 16, 7, 7]);
    assert.deepEqual(first["same"], Float32Array.of(1, 2, 3, 4));
    const x = Float32Array.of(1, 2);
    for (const wrong of [{ double: shared }, { other: place }]) {
      await assert.rejects(step.run({ x }, 1, { into: wrong }), { reason: "STEP_FAILED" });
    }
    assert.deepEqual([...shared], [7, 7, 10, 12, 14, 16, 7, 7]);
  });

  test(`inputs may be views into larger and into shared memory`, async () => {
    await using step = await (await open()).compile(double, doubleSpec);
    const shared = new Float32Array(new SharedArrayBuffer(20)).subarray(1, 3);
    shared.set([1, 2]);
    assert.deepEqual((await step.run({ x: shared }, 1))["y"], Float32Array.of(2, 4));
  });

  test(`whole-number inputs select rows of a table, and its gradient adds up`, async () => {
    const lookUp: Step = (tf, { table, ids }) => {
      const pick = (t: never) => tf.sum(tf.square(tf.gather(t, ids as never)));
      const { value, grad } = tf.valueAndGrad(pick as never)(table!);
      return { value, grad };
    };
    const spec: StepSpec = {
      name: "look up",
      inputs: {
        table: { dtype: "float32", shape: [3, 2] },
        ids: { dtype: "int32", shape: ["rows"] },
      },
    };
    await using step = await (await open()).compile(lookUp, spec);
    const table = Float32Array.of(1, 2, 3, 4, 5, 6);
    const { value, grad } = await step.run({ table, ids: Int32Array.of(2, 0, 2) }, 3);
    assert.deepEqual(value, Float32Array.of(5 + 2 * 61));
    assert.deepEqual(grad, Float32Array.of(2, 4, 0, 0, 20, 24));
    for (const id of [3, -1]) {
      await assert.rejects(step.run({ table, ids: Int32Array.of(0, id) }, 2), (error) => {
        assert.ok(isHeddleError(error, "STEP_FAILED"));
        assert.match(error.message, /step "look up" failed on 2 rows: /);
        return true;
      });
    }
  });

  test(`a step may make variables for variableGrads, and leaves none behind`, async () => {
    const executor = await open();
    const step: Step = (tf, { x, w }) => {
      const v = tf.variable(w as never, true, "v");
      const { value, grads } = tf.variableGrads(() => tf.sum(tf.mul(x!, v)), [v]);
      return { value, grad: grads["v"]! };
    };
    const w = { dtype: "float32", shape: [2] } as const;
    const spec: StepSpec = { name: "variables", inputs: { ...doubleSpec.inputs, w } };
    await using compiled = await executor.compile(step, spec);
    for (const _ of [1, 2]) {
      const inputs = { x: Float32Array.of(1, 2, 3, 4), w: Float32Array.of(1, 10) };
      const { value, grad } = await compiled.run(inputs, 2);
      assert.deepEqual([value, grad], [Float32Array.of(64), Float32Array.of(4, 6)]);
    }
  });

  test(`inputs that do not fit the spec are refused by name`, async () => {
    await using step = await (await open()).compile(double, doubleSpec);
    const x = new Float32Array(4);
    const wrong = [
      [{}, 2, /input "x" is missing/],
      [{ x }, 3, /input "x" has 4 elements, not 6 \(\[3,2\]\)/],
      [{ x: new Int32Array(4) }, 2, /input "x" must be a Float32Array/],
      [{ x, z: x }, 2, /no input "z"/],
      [{ x }, 0, /number of rows is 0/],
      [{ x }, 1.5, /number of rows is 1.5/],
    ] as const;
    for (const [inputs, rows, message] of wrong) {
      await assert.rejects(step.run(inputs, rows), (error) => {
        assert.ok(isHeddleError(error, "STEP_INPUT") && error.code === "INVALID_ARGUMENT");
        assert.match(error.message, message);
        return true;
      });
    }
  });

  test(`a step that throws is refused at compile, with its own words`, async () => {
    const broken: Step = () => {
      throw new Error("no such layer");
    };
    await assert.rejects((await open()).compile(broken, doubleSpec), (error) => {
      assert.ok(isHeddleError(error, "STEP_FAILED"));
      assert.match(error.message, /step "double" failed .*: no such layer/);
      return true;
    });
  });

  test(`closing a step lets its runs finish, and twice is harmless`, async () => {
    const step = await (await open()).compile(double, doubleSpec);
    const running = step.run({ x: Float32Array.of(1, 2) }, 1);
    await Promise.all([step[Symbol.asyncDispose](), step[Symbol.asyncDispose]()]);
    assert.deepEqual((await running)["sum"], Float32Array.of(3));
  });
}
