import { isHeddleError } from "@heddle/base";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlainSpec } from "./fixtures/row-store.ts";
import type { ParameterTable } from "./port.ts";

type Create = (spec: PlainSpec) => ParameterTable;

/** What every parameter table promises. */
export function tableContract(name: string, create: Create): void {
  const check = (claim: string, body: () => void): void => {
    test(`${name}: ${claim}`, body);
  };

  check("initial draws are standard normal, and the same for whoever reads them", () => {
    const count = 20_000;
    const all = new Float32Array(count * 5);
    create(spec).pull(ids(count), all);
    const alone = new Float32Array(5);
    create(spec).pull(ids(1, 1234), alone);
    assert.deepEqual(alone, all.slice(1234 * 5, 1235 * 5));
    const mean = all.reduce((sum, x) => sum + x, 0) / all.length;
    const variance = all.reduce((sum, x) => sum + x * x, 0) / all.length;
    const fourth = all.reduce((sum, x) => sum + x ** 4, 0) / all.length;
    assert.ok(
      Math.abs(mean) < 0.02 && Math.abs(variance - 1) < 0.02 && Math.abs(fourth - 3) < 0.15,
    );
    for (let a = 0; a < 5; a++) {
      for (let b = 0; b < a; b++) {
        let product = 0;
        for (let i = 0; i < count; i++) product += all[i * 5 + a]! * all[i * 5 + b]!;
        assert.ok(Math.abs(product / count) < 0.04, `columns ${a} and ${b} are correlated`);
      }
    }
  });

  check("another seed, id half or deviation gives other draws", () => {
    const draw = (change: Partial<PlainSpec>, id: bigint): Float32Array => {
      const out = new Float32Array(5);
      create({ ...spec, ...change }).pull(BigUint64Array.of(id), out);
      return out;
    };
    assert.notDeepEqual(draw({}, 1n), draw({ seed: 4 }, 1n));
    assert.notDeepEqual(draw({}, 1n), draw({}, 1n << 32n));
    assert.deepEqual(draw({ initialDeviation: 0 }, 1n), new Float32Array(5));
  });

  check("a pull creates no row", () => {
    const table = create(spec);
    table.pull(ids(10), new Float32Array(50));
    assert.equal(table.rows, 0);
  });

  check("a push that would pass rowsMax changes nothing and is refused", () => {
    const table = create({ ...spec, rowsMax: 3 });
    table.push(ids(2), new Float32Array(10).fill(1));
    const before = table.snapshot();
    assert.throws(
      () => table.push(ids(4), new Float32Array(20).fill(1)),
      (error) => isHeddleError(error, "TABLE_FULL"),
    );
    const three = new Float32Array(15).fill(1);
    assert.throws(
      () => table.prepare(ids(4), new Float32Array(20), "table t"),
      (error) => isHeddleError(error, "TABLE_FULL") && /table t of at most 3/.test(error.message),
    );
    const push = table.prepare(ids(3), three, "table t");
    const late = table.prepare(ids(1, 9), new Float32Array(5), "table t");
    assert.deepEqual(table.snapshot(), before);
    push();
    assert.equal(table.rows, 3);
    assert.throws(late, (error) => isHeddleError(error, "TABLE_FULL"));
    assert.throws(
      () => create({ ...spec, rowsMax: 2 }).restore(table.snapshot()),
      (error) => isHeddleError(error, "TABLE_FULL"),
    );
  });

  check("sizes that do not match and saved rows out of order are refused", () => {
    const table = create(spec);
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

  check("versions are refused where a table keeps none, and where they would fall", () => {
    const refused = (reason: string, body: () => void): void => {
      assert.throws(body, (error) => isHeddleError(error, reason));
    };
    const plain = create(spec);
    const [zeros, one] = [new Float32Array(5), Uint32Array.of(1)];
    refused("NO_VERSIONS", () => plain.pull(ids(1), zeros, one));
    refused("NO_VERSIONS", () => plain.pullNewer(ids(1), 1));
    refused("NO_VERSIONS", () => plain.changedSince(1));
    refused("NO_VERSIONS", () => plain.freeze(1));
    const table = create({ ...spec, versions: true });
    table.push(ids(1), zeros, 0);
    table.push(ids(1), zeros, 2 ** 32 - 4);
    const before = table.snapshot();
    for (const bad of [undefined, 2 ** 32 - 5, 2 ** 32 - 3.5, 2 ** 32 - 2, NaN]) {
      refused("VERSION_INVALID", () => table.push(ids(1), zeros, bad));
    }
    assert.deepEqual(table.snapshot(), before);
    const full = create({ ...spec, versions: true, rowsMax: 1 });
    full.push(ids(1), zeros, 7);
    // Its version first, however many rows it has: a push that comes late is not told that a table is full.
    refused("VERSION_INVALID", () => full.push(ids(9), new Float32Array(45), 6));
    refused("WRONG_SIZE", () => table.restore({ ...before, versions: new Uint32Array(2) }));
    table.push(ids(1), zeros, 2 ** 32 - 3);
    assert.deepEqual(table.changedSince(2 ** 32 - 4).versions, Uint32Array.of(2 ** 32 - 3));
  });

  check("a hundred thousand rows keep their values while the table grows", () => {
    const table = create({ ...spec, initialDeviation: 0 });
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
  });

  check("any pushes end where Adagrad in float64 ends, to float32 accuracy", () => {
    fc.assert(
      fc.property(fc.array(push, { maxLength: 12 }), (pushes) => {
        const table = create(small);
        for (const { ids, gradients } of pushes) table.push(ids, gradients);
        const expected = oracle(create, pushes);
        assert.equal(table.rows, expected.size);
        for (const [one, values] of expected) {
          row(table, one).forEach((value, c) => {
            const wanted = values[c]!;
            assert.ok(Math.abs(value - wanted) <= 2e-6 * Math.max(1, Math.abs(wanted)), `${one}`);
          });
        }
      }),
    );
  });

  check("a restored snapshot reads and goes on as the table it was taken from, bit for bit", () => {
    fc.assert(
      fc.property(fc.array(push, { maxLength: 8 }), push, (pushes, next) => {
        const table = create(small);
        for (const { ids, gradients } of pushes) table.push(ids, gradients);
        const copy = create(small);
        copy.push(BigUint64Array.of(99n), Float32Array.of(1, 1, 1));
        copy.restore(table.snapshot());
        assert.deepEqual(copy.snapshot(), table.snapshot());
        table.push(next.ids, next.gradients);
        copy.push(next.ids, next.gradients);
        assert.deepEqual(copy.snapshot(), table.snapshot());
      }),
    );
  });

  check(
    "rows that are loaded replace those of their ids, stand beside the others and go on",
    () => {
      fc.assert(
        fc.property(push, push, push, (before, changed, next) => {
          const table = create(small);
          table.push(before.ids, before.gradients);
          const other = create(small);
          other.push(before.ids, before.gradients);
          other.push(changed.ids, changed.gradients);
          const rows = other.snapshot();
          const own = [...rows.ids.keys()].filter((i) => changed.ids.includes(rows.ids[i]!));
          const width = rows.slots.length / Math.max(1, rows.ids.length);
          const take = (from: Float32Array, each: number) =>
            Float32Array.from(own.flatMap((i) => [...from.subarray(i * each, (i + 1) * each)]));
          table.load({
            ids: BigUint64Array.from(own, (i) => rows.ids[i]!),
            values: take(rows.values, 3),
            slots: take(rows.slots, width),
          });
          assert.deepEqual(table.snapshot(), rows);
          table.push(next.ids, next.gradients);
          other.push(next.ids, next.gradients);
          assert.deepEqual(table.snapshot(), other.snapshot());
        }),
      );
      const full = create({ ...small, rowsMax: 1 });
      const three = create(small);
      three.push(ids(3), new Float32Array(9));
      assert.throws(() => full.load(three.snapshot()), { reason: "TABLE_FULL" });
      assert.equal(full.rows, 0);
      const frozen = three.freeze();
      assert.throws(() => three.load(three.snapshot()), { reason: "TABLE_FROZEN" });
      frozen.release();
    },
  );

  check("a snapshot is in ascending order of id, whatever the order of the pushes", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 300 }),
        (ids) => {
          const forth = create(small);
          const back = create(small);
          const one = Float32Array.of(1, -1, 2);
          for (const each of ids) forth.push(BigUint64Array.of(each), one);
          for (const each of ids.toReversed()) back.push(BigUint64Array.of(each), one);
          assert.deepEqual(forth.snapshot(), back.snapshot());
          const wanted = BigUint64Array.from(ids).sort();
          assert.deepEqual(forth.snapshot().ids, wanted);
        },
      ),
    );
  });

  check("a push with one bad number changes nothing", () => {
    fc.assert(
      fc.property(
        push,
        fc.constantFrom(NaN, Infinity, -Infinity, 1e30),
        fc.nat(),
        (next, bad, at) => {
          fc.pre(next.ids.length > 0);
          const table = create(small);
          table.push(BigUint64Array.of(0n, 1n), Float32Array.of(1, 2, 3, 4, 5, 6));
          const before = table.snapshot();
          const gradients = next.gradients.slice();
          gradients[at % gradients.length] = bad;
          assert.throws(
            () => table.push(next.ids, gradients),
            (e) => isHeddleError(e, "NOT_FINITE"),
          );
          assert.deepEqual(table.snapshot(), before);
        },
      ),
    );
  });
}

const spec: PlainSpec = {
  dimension: 5,
  optimizer: { kind: "sgd", rate: 0.5 },
  initialDeviation: 1,
  seed: 3,
  rowsMax: 100_000,
};
const ids = (count: number, first = 0): BigUint64Array =>
  BigUint64Array.from({ length: count }, (_, i) => BigInt(first + i));

const small: PlainSpec = {
  dimension: 3,
  optimizer: { kind: "adagrad", rate: 0.1, initialAccumulator: 0.1, epsilon: 1e-7 },
  initialDeviation: 0.05,
  seed: 7,
  rowsMax: 1_000,
};

/** Few ids, so that they meet often; the extremes among them. */
const id = fc.oneof(
  fc.bigInt({ min: 0n, max: 20n }),
  fc.constantFrom(2n ** 32n, 2n ** 63n, 2n ** 64n - 1n),
);
const gradient = fc.float({ min: -10, max: 10, noNaN: true });
const push = fc.uniqueArray(id, { maxLength: 12 }).chain((ids) =>
  fc.record({
    ids: fc.constant(BigUint64Array.from(ids)),
    gradients: fc
      .array(gradient, { minLength: ids.length * 3, maxLength: ids.length * 3 })
      .map((values) => Float32Array.from(values)),
  }),
);

function row(table: ParameterTable, ...ids: bigint[]): Float32Array {
  const out = new Float32Array(ids.length * table.spec.dimension);
  table.pull(BigUint64Array.from(ids), out);
  return out;
}

/** The slow and obvious table: a Map of float64 numbers. */
function oracle(
  create: Create,
  pushes: { ids: BigUint64Array; gradients: Float32Array }[],
): Map<bigint, number[]> {
  const fresh = create(small);
  const values = new Map<bigint, number[]>();
  const sums = new Map<bigint, number[]>();
  for (const { ids, gradients } of pushes) {
    ids.forEach((one, i) => {
      const v = values.get(one) ?? [...row(fresh, one)];
      const s = sums.get(one) ?? [0.1, 0.1, 0.1];
      for (let c = 0; c < 3; c++) {
        const g = gradients[i * 3 + c]!;
        s[c] = s[c]! + g * g;
        v[c] = v[c]! - (0.1 * g) / (Math.sqrt(s[c]!) + 1e-7);
      }
      values.set(one, v);
      sums.set(one, s);
    });
  }
  return values;
}
