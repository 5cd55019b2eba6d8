import { isHeddleError } from "@heddle/base";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TableSpec } from "./port.ts";
import { createTable } from "./table.ts";

const spec: TableSpec = {
  dimension: 5,
  optimizer: { kind: "sgd", rate: 0.5 },
  initialDeviation: 1,
  seed: 3,
  rowsMax: 100_000,
};
const ids = (count: number, first = 0): BigUint64Array =>
  BigUint64Array.from({ length: count }, (_, i) => BigInt(first + i));

test("initial draws are standard normal, and the same for whoever reads them", () => {
  const count = 20_000;
  const all = new Float32Array(count * 5);
  createTable(spec).pull(ids(count), all);
  const alone = new Float32Array(5);
  createTable(spec).pull(ids(1, 1234), alone);
  assert.deepEqual(alone, all.slice(1234 * 5, 1235 * 5));
  const mean = all.reduce((sum, x) => sum + x, 0) / all.length;
  const variance = all.reduce((sum, x) => sum + x * x, 0) / all.length;
  const fourth = all.reduce((sum, x) => sum + x ** 4, 0) / all.length;
  assert.ok(Math.abs(mean) < 0.02 && Math.abs(variance - 1) < 0.02 && Math.abs(fourth - 3) < 0.15);
  for (let a = 0; a < 5; a++) {
    for (let b = 0; b < a; b++) {
      let product = 0;
      for (let i = 0; i < count; i++) product += all[i * 5 + a]! * all[i * 5 + b]!;
      assert.ok(Math.abs(product / count) < 0.04, `columns ${a} and ${b} are correlated`);
    }
  }
});

test("another seed, id half or deviation gives other draws", () => {
  const draw = (change: Partial<TableSpec>, id: bigint): Float32Array => {
    const out = new Float32Array(5);
    createTable({ ...spec, ...change }).pull(BigUint64Array.of(id), out);
    return out;
  };
  assert.notDeepEqual(draw({}, 1n), draw({ seed: 4 }, 1n));
  assert.notDeepEqual(draw({}, 1n), draw({}, 1n << 32n));
  assert.deepEqual(draw({ initialDeviation: 0 }, 1n), new Float32Array(5));
});

test("a pull creates no row", () => {
  const table = createTable(spec);
  table.pull(ids(10), new Float32Array(50));
  assert.equal(table.rows, 0);
});

test("a push that would pass rowsMax changes nothing and is refused", () => {
  const table = createTable({ ...spec, rowsMax: 3 });
  table.push(ids(2), new Float32Array(10).fill(1));
  const before = table.snapshot();
  assert.throws(
    () => table.push(ids(4), new Float32Array(20).fill(1)),
    (error) => isHeddleError(error, "TABLE_FULL"),
  );
  assert.deepEqual(table.snapshot(), before);
  table.push(ids(3), new Float32Array(15).fill(1));
  assert.equal(table.rows, 3);
  assert.throws(
    () => createTable({ ...spec, rowsMax: 2 }).restore(table.snapshot()),
    (error) => isHeddleError(error, "TABLE_FULL"),
  );
});

test("sizes that do not match and saved rows out of order are refused", () => {
  const table = createTable(spec);
  const wrongSize = (error: unknown): boolean => isHeddleError(error, "WRONG_SIZE");
  assert.throws(() => table.pull(ids(2), new Float32Array(9)), wrongSize);
  assert.throws(() => table.push(ids(2), new Float32Array(9)), wrongSize);
  const values = new Float32Array(10);
  const slots = new Float32Array(0);
  assert.throws(() => table.restore({ ids: ids(2), values, slots: values }), wrongSize);
  for (const disorder of [
    [2n, 1n],
    [1n, 1n],
    [1n << 32n, 5n],
  ]) {
    assert.throws(
      () => table.restore({ ids: BigUint64Array.from(disorder), values, slots }),
      (error) => isHeddleError(error, "ROWS_NOT_ASCENDING"),
    );
  }
});

test("a hundred thousand rows keep their values while the table grows", () => {
  const table = createTable({ ...spec, initialDeviation: 0 });
  for (let first = 0; first < 100_000; first += 1_000) {
    const gradients = Float32Array.from(
      { length: 5_000 },
      (_, i) => -2 * (first + Math.floor(i / 5)),
    );
    table.push(ids(1_000, first), gradients);
  }
  const { ids: saved, values } = table.snapshot();
  assert.equal(saved.length, 100_000);
  for (let i = 0; i < 100_000; i += 997) assert.equal(values[i * 5 + 4], i);
  assert.ok(table.bytes < 100_000 * (5 * 4 * 1.5 + 36 * 2));
});
