import { isHeddleError } from "@heddle/base";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TableSpec } from "../port.ts";
import { createTable } from "./table.ts";
import { createPart } from "./create-part.ts";

const spec: TableSpec = {
  dimension: 16,
  optimizer: { kind: "adagrad", rate: 0.1, initialAccumulator: 0.1, epsilon: 1e-7 },
  initialDeviation: 0,
  seed: 3,
  rowsMax: 10_000_000,
  versions: true,
};
const payload = 16 * 8;
const ids = (count: number, first = 0): BigUint64Array =>
  BigUint64Array.from({ length: count }, (_, i) => BigInt(first + i));
const ones = (count: number): Float32Array => new Float32Array(count * 16).fill(1);

test("an id gets its row with its n-th push, whose gradient is the first that is applied", () => {
  const table = createTable({ ...spec, dimension: 1, admission: { count: 3 } });
  const read = (): number => {
    const out = new Float32Array(1);
    table.pull(ids(1), out);
    return out[0]!;
  };
  for (let version = 1; version <= 3; version++) {
    assert.equal(read(), 0);
    assert.equal(table.rows, 0);
    table.push(ids(1), Float32Array.of(1), version);
  }
  const once = createTable({ ...spec, dimension: 1 });
  once.push(ids(1), Float32Array.of(1), 3);
  assert.deepEqual(table.snapshot(), once.snapshot());
  assert.deepEqual(table.turnover, { refused: 2, expired: 0 });
  assert.equal(table.counts!.snapshot().ids.length, 0, "it is counted no more");
});

test("a row expires with the n-th step without a push, and comes back as a new one", () => {
  const table = createTable({ ...spec, dimension: 1, expiry: { steps: 3 } });
  const push = (version: number, of = ids(1)): void =>
    table.push(of, new Float32Array(of.length).fill(1), version);
  push(1);
  const first = table.snapshot();
  push(2);
  for (const version of [3, 4]) push(version, ids(1, 7));
  assert.equal(table.snapshot().ids.length, 2, "two steps without it");
  push(5, ids(1, 7));
  assert.deepEqual(table.snapshot().ids, ids(1, 7), "three steps without it");
  push(6);
  const { values, slots } = table.snapshot();
  assert.deepEqual([values[0], slots[0]], [first.values[0], first.slots[0]]);
  assert.deepEqual(table.turnover, { refused: 0, expired: 1 });
});

test("cells of expired rows are used again: memory follows the rows that live, and a quarter more", () => {
  const table = createTable({ ...spec, expiry: { steps: 20 } });
  const each = 2_000;
  // Each step has ids that never come back, so 20 steps' rows live.
  const living = 20 * each;
  let most = 0;
  for (let step = 1; step <= 200; step++) {
    table.push(ids(each, step * each), ones(each), step);
    if (step > 60) most = Math.max(most, table.rows);
  }
  assert.ok(most <= 1.25 * living + each, `${most} rows in memory, ${living} live`);
  const beyond = table.bytes / living - payload;
  assert.ok(table.bytes <= 1.25 * (payload + 28.2) * living, `${beyond} bytes a row that lives`);
  assert.equal(table.snapshot().ids.length, living);
  table.sweep();
  assert.equal(table.rows, living);
  assert.equal(table.turnover.expired, 200 * each - living);
});

test("with an expiry a row that lives costs what it costs with a version, also while the table grows", () => {
  const table = createTable({ ...spec, expiry: { steps: 1_000 } });
  const plain = createTable(spec);
  for (let step = 1; step <= 80; step++) {
    for (const each of [table, plain]) each.push(ids(5_000, step * 5_000), ones(5_000), step);
    assert.equal(table.bytes, plain.bytes);
    if (step > 20) assert.ok(table.bytes / table.rows - payload <= 28.2);
  }
});

test("an id that is counted takes 20 to 31 bytes, a sixth of a row of 16 with Adagrad", () => {
  const table = createTable({ ...spec, admission: { count: 2 } });
  const empty = table.bytes;
  for (let step = 1; step <= 80; step++) {
    table.push(ids(5_000, step * 5_000), ones(5_000), step);
    const each = (table.bytes - empty) / table.counts!.rows;
    if (step > 20) assert.ok(each > 20 && each <= 31, `${each} bytes`);
  }
  assert.equal(table.rows, 0);
  // Those that get rows are counted no more, and their cells are used again.
  const before = table.bytes;
  for (let step = 81; step <= 160; step++) {
    table.push(ids(5_000, (step - 80) * 5_000), ones(5_000), step);
    table.push(ids(5_000, step * 5_000), ones(5_000), step);
  }
  assert.equal(table.rows, 400_000);
  const counts = table.counts!.snapshot().ids.length;
  assert.equal(counts, 400_000);
  assert.ok(table.counts!.rows <= 1.25 * counts, `${table.counts!.rows} cells`);
  assert.ok(
    table.bytes - before < 400_000 * (payload + 28.2 + 10),
    `${table.bytes - before} bytes`,
  );
});

test("a full table takes new rows when old ones have expired, also while it is frozen; else it refuses and changes nothing", () => {
  const table = createTable({ ...spec, rowsMax: 1_000, expiry: { steps: 10 } });
  table.push(ids(1_000), ones(1_000), 1);
  const before = table.snapshot();
  assert.throws(
    () => table.push(ids(1, 5_000), ones(1), 10),
    (error) => isHeddleError(error, "TABLE_FULL") && /would hold 1001/.test(error.message),
  );
  assert.deepEqual(table.snapshot(), before);
  const view = table.freeze();
  table.push(ids(1_000, 5_000), ones(1_000), 12);
  assert.equal(view.next(1e9)?.ids.length, 1_000, "the view still has those that expired later");
  view.release();
  assert.deepEqual(table.snapshot().ids, ids(1_000, 5_000));
  table.push(ids(1, 5_000), ones(1), 12);
  table.sweep();
  assert.equal(table.rows, 1_000);
});

test("a push that was prepared before another one counts what that one brought", () => {
  const table = createTable({ ...spec, dimension: 1, admission: { count: 2 } });
  const prepared = [1, 2].map((version) =>
    table.prepare(ids(1), Float32Array.of(version), "a push", version),
  );
  for (const apply of prepared) apply();
  assert.deepEqual([table.rows, table.turnover.refused], [1, 1]);
});

test("a table that is restored to fewer rows frees those that expire as one that never had more", () => {
  const table = createTable({ ...spec, expiry: { steps: 3 } });
  for (const version of [1, 2, 3]) table.push(ids(30), ones(30), version);
  const fresh = createTable({ ...spec, expiry: { steps: 3 } });
  fresh.push(ids(2), ones(2), 3);
  table.restore(fresh.snapshot());
  for (const each of [table, fresh]) {
    for (let version = 4; version <= 12; version++) each.push(ids(1, 7), ones(1), version);
  }
  assert.deepEqual(table.snapshot(), fresh.snapshot());
  assert.deepEqual([table.rows, fresh.rows], [1, 1]);
});

test("counts have a limit of their own: four ids for each row that the table may have", () => {
  const table = createTable({ ...spec, rowsMax: 100, admission: { count: 2 } });
  table.push(ids(400), ones(400), 1);
  assert.throws(
    () => table.push(ids(1, 400), ones(1), 2),
    (error) =>
      isHeddleError(error, "TABLE_FULL") &&
      /the counts of a table of at most 400 rows would hold 401/.test(error.message),
  );
  const memory = createPart({ ...spec, admission: { count: 2 } }, { pages: 16 });
  assert.throws(
    () => memory.push(ids(60_000), ones(60_000), 1),
    (error) => isHeddleError(error, "TABLE_FULL"),
  );
});

test("an expiry needs versions", () => {
  assert.throws(
    () => createTable({ ...spec, versions: false, expiry: { steps: 3 } }),
    (error) => isHeddleError(error, "NO_VERSIONS"),
  );
});
