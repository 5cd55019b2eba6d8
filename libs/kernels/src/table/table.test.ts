import { isHeddleError } from "@heddle/base";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TableSpec } from "../port.ts";
import { createTable } from "./table.ts";
import { createPart } from "./create-part.ts";
import { createSplitTable } from "./split/split-table.ts";

const spec: TableSpec = {
  dimension: 16,
  optimizer: { kind: "adagrad", rate: 0.1, initialAccumulator: 0.1, epsilon: 1e-7 },
  initialDeviation: 0,
  seed: 3,
  rowsMax: 10_000_000,
};
const ids = (count: number, first = 0): BigUint64Array =>
  BigUint64Array.from({ length: count }, (_, i) => BigInt(first + i));

/** Bytes held for each row after each piece of growth, beyond values and slots. */
function growth(change: Partial<TableSpec>, rows: number): { beyond: number; total: number }[] {
  const table = createTable({ ...spec, ...change });
  const { dimension, optimizer } = table.spec;
  const payload = dimension * 4 * (optimizer.kind === "adagrad" ? 2 : 1);
  const piece = 5_000;
  const gradients = new Float32Array(piece * dimension).fill(1);
  const seen = [];
  for (let first = 0; first < rows; first += piece) {
    table.push(ids(piece, first), gradients, 1);
    seen.push({ beyond: table.bytes / table.rows - payload, total: table.bytes / table.rows });
  }
  return seen.slice(rows / piece / 4);
}

test("a row costs at most 24 bytes beyond values and slots, also while the table grows", () => {
  for (const change of [{}, { dimension: 1, optimizer: { kind: "sgd", rate: 1 } as const }]) {
    const most = Math.max(...growth(change, 400_000).map(({ beyond }) => beyond));
    assert.ok(most <= 24, `${most} bytes`);
  }
});

test("a version costs 4 bytes a row", () => {
  const [without, versioned] = [{}, { versions: true }].map((change) => growth(change, 400_000));
  const more = versioned!.at(-1)!.total - without!.at(-1)!.total;
  assert.ok(more > 3 && more <= 5, `${more} bytes`);
  const most = Math.max(...versioned!.map(({ beyond }) => beyond));
  assert.ok(most <= 28.2, `${most} bytes`);
});

test("freezing takes a bit a row of the table's memory, once; a push saves what it changes, and release frees that", () => {
  const table = createTable({ ...spec, versions: true });
  table.push(ids(200_000), new Float32Array(3_200_000).fill(1), 1);
  const before = table.bytes;
  for (let cut = 0; cut < 50; cut++) {
    const view = table.freeze();
    assert.equal(view.next(140 * 100)!.ids.length, 100);
    table.push(ids(1_000), new Float32Array(16_000).fill(1), 2);
    assert.ok(table.bytes > before + 1_000 * 140 && table.bytes < before + 2_000 * 140 + 65_536);
    view.release();
    assert.equal(view.next(1_000), undefined);
  }
  assert.ok(table.bytes <= before + 65_536, `${table.bytes - before} bytes`);
});

test("growth takes at most a quarter more memory for a while", () => {
  // Rows of 4 values and as many slots are the narrowest for which that is promised.
  for (const dimension of [4, 16]) {
    const totals = growth({ dimension }, 400_000).map(({ total }) => total);
    const ratio = Math.max(...totals) / Math.min(...totals);
    assert.ok(ratio <= 1.25, `${ratio} times`);
  }
});

test("rows pushed and pulled while the index grows are found, whichever index has them", () => {
  const table = createTable(spec);
  const one = new Float32Array(16).fill(1);
  // Row by row, so that each state between two indexes is seen; 853 rows fill the first.
  for (let i = 0; i < 1_800; i++) {
    table.push(ids(1, i), one);
    assert.equal(table.rows, i + 1);
    const out = new Float32Array(32);
    table.pull(BigUint64Array.of(BigInt(i >> 1), BigInt(i + 1)), out);
    assert.ok(out[0] !== 0 && out[16] === 0, `after ${i + 1} rows`);
  }
});

test("a table near its memory's end can be frozen and pushed to, but not restored meanwhile", () => {
  const table = createPart(spec, { pages: 17 });
  const rows = 7_100;
  table.push(ids(rows), new Float32Array(rows * 16).fill(1));
  const before = table.snapshot();
  const view = table.freeze();
  table.push(ids(rows), new Float32Array(rows * 16).fill(1));
  const seen = view.next(1e9)!;
  const order = [...seen.ids.keys()].sort((a, b) => Number(seen.ids[a]! - seen.ids[b]!));
  assert.equal(seen.ids.length, rows);
  assert.ok(order.every((at, i) => seen.values[at * 16] === before.values[i * 16]));
  assert.throws(
    () => table.restore(before),
    (error) => isHeddleError(error, "TABLE_FROZEN"),
  );
  view.release();
  table.restore(before);
});

test("a full memory refuses pushes and restores by name and changes nothing", () => {
  const refused = (error: unknown): boolean => isHeddleError(error, "TABLE_FULL");
  const small = createPart(spec, { pages: 16 });
  small.push(ids(3_000), new Float32Array(48_000).fill(1));
  const before = small.snapshot();
  assert.throws(() => small.push(ids(8_000), new Float32Array(128_000).fill(1)), refused);
  assert.throws(() => small.prepare(ids(8_000), new Float32Array(128_000), "table t"), refused);
  const large = createTable(spec);
  large.push(ids(8_000), new Float32Array(128_000).fill(1));
  assert.throws(() => small.restore(large.snapshot()), refused);
  assert.deepEqual(small.snapshot(), before);
  small.push(ids(3_001), new Float32Array(48_016));
  assert.equal(small.rows, 3_001);
  assert.throws(() => createPart(spec, { pages: 1 }), refused);
});

test("an id that stands twice in a push makes one row and takes both gradients in order", () => {
  const table = createTable({ ...spec, dimension: 1, optimizer: { kind: "sgd", rate: 1 } });
  table.push(BigUint64Array.of(5n, 0n, 5n), Float32Array.of(1, 2, 4));
  assert.deepEqual(table.snapshot().ids, BigUint64Array.of(0n, 5n));
  assert.deepEqual(table.snapshot().values, Float32Array.of(-2, -5));
});

test("a gradient of 1e18 is taken wherever it stands, and none that is larger", () => {
  const most = Math.fround(1e18);
  const beyond = Math.fround(most * (1 + 2 ** -23));
  assert.ok(beyond > most);
  for (const dimension of [1, 4, 7]) {
    for (let at = 0; at < dimension; at++) {
      const table = createPart({ ...spec, dimension }, { pages: 17 });
      const push = (gradient: number): void => {
        const gradients = new Float32Array(dimension);
        gradients[at] = gradient;
        table.push(ids(1), gradients, 1);
      };
      assert.throws(() => push(-beyond), { reason: "NOT_FINITE" });
      assert.equal(table.rows, 0);
      push(-most);
    }
  }
});

test("a push that was prepared before others came is refused when there is no more room for it, and changes nothing", () => {
  const small = { ...spec, rowsMax: 10 };
  const parts = [1, 2].map(() => createPart(small, { pages: 17 }));
  for (const table of [createTable(small), createSplitTable(parts)]) {
    const gradients = (count: number) => new Float32Array(count * 16).fill(1);
    const late = table.prepare(ids(6, 100), gradients(6), "a late push");
    table.push(ids(8), gradients(8));
    const before = table.snapshot();
    assert.throws(late, { reason: "TABLE_FULL", message: /would hold 14/ });
    assert.deepEqual(table.snapshot(), before);
  }
});

test("a thousand tables can be there at a time, each with rows of its own", () => {
  const tables = Array.from({ length: 1_000 }, () => createTable({ ...spec, dimension: 1 }));
  tables.forEach((table, i) => table.push(ids(1, i), Float32Array.of(1)));
  assert.ok(tables.every((table, i) => table.snapshot().ids[0] === BigInt(i)));
});

test("in bfloat16 a row of 16 takes 32 bytes less", () => {
  const [full, half] = (["float32", "bfloat16"] as const).map(
    (storage) => growth({ storage }, 200_000).at(-1)!.total,
  );
  assert.ok(Math.abs(full! - half! - 32) < 2, `${full! - half!} bytes`);
});

test("bfloat16 keeps of each value the nearest of 8 bits, of two as near the even one", () => {
  const dimension = 7;
  const table = createTable({ ...spec, dimension, storage: "bfloat16" });
  const exact = Float32Array.of(1, -1.00390625, 1.01171875, 3e-39, -0, 255.4, 3.3895314e38);
  table.restore({ ids: ids(1), values: exact, slots: new Float32Array(dimension) });
  // 1 + 1/256 lies between 1 and 1 + 2/256, 1 + 3/256 between that and 1 + 4/256: 1 and 1 + 4/256 are even.
  const kept = Float32Array.of(1, -1, 1.015625, 3.0304e-39, -0, 255, 3.3895314e38);
  const out = new Float32Array(dimension);
  table.pull(ids(1), out);
  out.forEach((value, i) => {
    assert.ok(Object.is(value, kept[i]) || Math.abs(value - kept[i]!) < 1e-42, `${value}`);
  });
});

test("bfloat16 ends near float32: within 3 hundredths of how far 200 pushes of Adagrad move a row", () => {
  const [full, half] = (["float32", "bfloat16"] as const).map((storage) => {
    const table = createTable({ ...spec, initialDeviation: 0.05, storage });
    for (let t = 0; t < 200; t++) {
      const gradients = Float32Array.from(
        { length: 16_000 },
        (_, i) => Math.sin(i + 3) + 0.3 * Math.sin(i * t),
      );
      table.push(ids(1_000), gradients);
    }
    return table.snapshot().values;
  });
  const fresh = new Float32Array(16_000);
  createTable({ ...spec, initialDeviation: 0.05 }).pull(ids(1_000), fresh);
  const size = (of: (i: number) => number): number =>
    Math.sqrt(fresh.reduce((sum, _, i) => sum + of(i) ** 2, 0) / fresh.length);
  const moved = size((i) => full![i]! - fresh[i]!);
  const error = size((i) => half![i]! - full![i]!);
  assert.ok(error > 0 && error < 0.03 * moved, `${error} of ${moved}`);
});

test("a table whose rows may not fit one instance takes several, and as much as all of them hold", () => {
  const rows = 20_000;
  // An instance of 17 pages holds some 7,000 of them.
  const small = { ...spec, rowsMax: rows };
  const table = createTable(small, { pages: 17 });
  const whole = createTable(small);
  for (let first = 0; first < rows; first += 500) {
    const gradients = new Float32Array(500 * 16).fill(first + 1);
    for (const each of [table, whole]) each.push(ids(500, first), gradients);
  }
  assert.equal(table.rows, rows);
  assert.deepEqual(table.snapshot(), whole.snapshot());
  assert.throws(
    () => table.push(ids(1, rows), new Float32Array(16)),
    (error) => isHeddleError(error, "TABLE_FULL"),
  );
  assert.ok(table.bytes > 4 * 2 ** 20 * 0.5 && whole.bytes > 2 ** 20 * 2);
});

test("a row is admitted with its probability, by the same draw in any order and table; before, it reads as its draw", () => {
  const admission = { probability: 0.1 };
  const open = () => createTable({ ...spec, dimension: 1, initialDeviation: 1, admission });
  const [table, other] = [open(), open()];
  const all = ids(20_000);
  const one = new Float32Array(all.length).fill(1);
  table.push(all, one, 7);
  other.push(all.toReversed(), one, 7);
  assert.deepEqual(table.snapshot(), other.snapshot());
  assert.ok(Math.abs(table.rows - 2_000) < 200, `${table.rows} rows`);
  const [fresh, read] = [new Float32Array(all.length), new Float32Array(all.length)];
  open().pull(all, fresh);
  table.pull(all, read);
  assert.equal(read.filter((value, i) => value !== fresh[i]).length, table.rows);
  for (let version = 8; version < 40; version++) table.push(all, one, version);
  assert.ok(table.rows > 18_500, `${table.rows} rows after 33 pushes`);
  assert.throws(
    () => table.push(all, one),
    (error) => isHeddleError(error, "VERSION_INVALID"),
  );
});
