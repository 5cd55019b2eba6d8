import assert from "node:assert/strict";
import { test } from "node:test";
import { createTable } from "./table.ts";
import { newSlots } from "./table-optimizer.ts";

const ids = BigUint64Array.of(3n, 7n);
const gradient = Float32Array.of(0.5, -0.25, 1, 2, -3, 0.125);

for (const optimizer of [
  { kind: "sgd", rate: 0.1 },
  { kind: "momentum", rate: 0.1, momentum: 0.9 },
  { kind: "adagrad", rate: 0.1, initialAccumulator: 0.3, epsilon: 1e-7 },
  { kind: "rowwise-adagrad", rate: 0.1, initialAccumulator: 0.3, epsilon: 1e-7 },
  { kind: "adam", rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
] as const) {
  test(`rows loaded with new slots move by ${optimizer.kind} as rows that the table made itself`, () => {
    const spec = { dimension: 3, optimizer, initialDeviation: 0.5, seed: 4, rowsMax: 10 };
    const [own, loaded] = [createTable(spec), createTable(spec)];
    const values = new Float32Array(6);
    own.pull(ids, values);
    loaded.load({ ids, values, slots: newSlots(optimizer, 3, 2) });
    for (const table of [own, loaded, own, loaded]) table.push(ids, gradient);
    assert.deepEqual(loaded.snapshot(), own.snapshot());
  });
}

test("sgd at a rate of 1 and zeros, the rule of what is frozen, changes no bit", () => {
  const optimizer = { kind: "sgd", rate: 1 } as const;
  const table = createTable({ dimension: 3, optimizer, initialDeviation: 0, seed: 4, rowsMax: 10 });
  const values = Float32Array.of(-0, 1e-45, -3.4e38, 0, 0.1, -1e-40);
  table.load({ ids, values, slots: new Float32Array() });
  table.push(ids, new Float32Array(6));
  assert.deepEqual(Buffer.from(table.snapshot().values.slice().buffer), Buffer.from(values.buffer));
});
