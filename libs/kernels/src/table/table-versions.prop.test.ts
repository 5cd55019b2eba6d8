import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { bits, idsOf, numbers } from "../fixtures/made-rows.ts";
import { createTypeScriptTable } from "../fixtures/typescript-table.ts";
import type { FrozenView, ParameterTable, TableRows } from "../port.ts";
import type { Part } from "./part.ts";
import { createSplitTable } from "./split/split-table.ts";
import { createTable } from "./table.ts";
import { createPart } from "./create-part.ts";

const spec = fc
  .record({
    dimension: fc.constantFrom(1, 3, 4, 17),
    optimizer: fc.constantFrom(
      { kind: "sgd" as const, rate: 0.5 },
      { kind: "adagrad" as const, rate: 0.1, initialAccumulator: 0.1, epsilon: 1e-7 },
    ),
    storage: fc.constantFrom("float32" as const, "bfloat16" as const),
    initialDeviation: fc.constantFrom(0, 1),
    seed: fc.nat(),
    rowsMax: fc.constantFrom(2_000, 100_000),
    versions: fc.boolean(),
    admission: fc.constantFrom(
      {},
      ...[0.1, 1].map((probability) => ({ admission: { probability } })),
      ...[1, 3].map((count) => ({ admission: { count } })),
    ),
    expiry: fc.constantFrom({}, {}, {}, ...[1, 8, 30].map((steps) => ({ expiry: { steps } }))),
  })
  .map(({ admission, expiry, ...rest }) => ({ ...rest, ...admission, ...expiry }))
  // What a table without them does is the contract's.
  .map((one) => ("expiry" in one ? { ...one, versions: true } : one));

/** Both extremes of all ids are among them: 0, and with a spread of 2⁶⁴ − 1 the last one for `first` 1. */
const step = fc.record({
  kind: fc.constantFrom(
    ...(["push", "push", "push", "push", "freeze", "next", "next", "drain"] as const),
    ...(["release", "pull", "newer", "changed", "restore", "advance", "sweep", "counts"] as const),
  ),
  first: fc.oneof(fc.nat(2), fc.nat(3_000)),
  count: fc.oneof(fc.nat(40), fc.nat(2_000)),
  spread: fc.constantFrom(1n, 1n << 32n, 0x9e3779b97f4a7c15n, (1n << 64n) - 1n),
  seed: fc.nat(),
  advance: fc.constantFrom(0, 1, 1, 5),
  /** How far a version asked for lies behind; none asks for all rows. */
  back: fc.option(fc.nat(8), { nil: undefined, freq: 1 }),
  bytesMax: fc.oneof(fc.constantFrom(0, 100), fc.nat(200_000)),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const clean = ({ ids, values, slots, versions }: TableRows) => ({
  ids,
  values: bits(values),
  slots: bits(slots),
  versions,
});

/** Rows of several calls by id, each of which must be there once. */
function byId(parts: readonly TableRows[], dimension: number): Map<bigint, unknown> {
  const rows = new Map<bigint, unknown>();
  for (const { ids, values, slots, versions } of parts) {
    const slotWidth = slots.length / ids.length;
    ids.forEach((id, i) => {
      assert.ok(!rows.has(id), `row ${id} was handed out twice`);
      rows.set(id, {
        values: bits(values.slice(i * dimension, (i + 1) * dimension)),
        slots: bits(slots.slice(i * slotWidth, (i + 1) * slotWidth)),
        version: versions?.[i],
      });
    });
  }
  return rows;
}

/** A table with its view, and what the view has given. */
interface Watched {
  readonly table: ParameterTable;
  view?: FrozenView | undefined;
  readonly given: TableRows[];
}

/** What a step gives that both tables must give alike. */
function take(watched: Watched, { kind, ...step }: Step, version: number): unknown {
  const { table } = watched;
  const { dimension } = table.spec;
  const ids = idsOf(step);
  const since = step.back === undefined ? undefined : Math.max(0, version - step.back);
  try {
    switch (kind) {
      case "push":
        return table.push(ids, numbers(ids.length * dimension, 2, step.seed), version);
      case "freeze": {
        const view = table.freeze(since);
        watched.view = view;
        watched.given.length = 0;
        return "frozen";
      }
      case "pull": {
        const [out, versions] = [
          new Float32Array(ids.length * dimension),
          new Uint32Array(ids.length),
        ];
        table.pull(ids, out, table.spec.versions ? versions : undefined);
        return { out: bits(out), versions };
      }
      case "newer": {
        const { values, ...rest } = table.pullNewer(ids, since ?? 0);
        return { ...rest, values: bits(values) };
      }
      case "changed":
        return clean(table.changedSince(since ?? 0));
      case "restore": {
        const { versions, ...rows } = table.snapshot();
        return table.restore(
          since === undefined || versions === undefined ? rows : { ...rows, versions },
        );
      }
      case "advance":
        return table.advance(version);
      case "sweep":
        return table.sweep();
      case "counts": {
        // A snapshot of what is counted, into a table that goes on from there.
        const { counts } = table;
        if (counts === undefined) return;
        const saved = clean(counts.snapshot());
        counts.load(counts.snapshot());
        return saved;
      }
      case "release":
        watched.view?.release();
        watched.view = undefined;
        return "released";
      default:
        return undefined;
    }
  } catch (error) {
    return (error as Error).message;
  }
}

/** Reads on in a view: one call, or to its end. */
function readOn({ view, given }: Watched, bytesMax: number, toEnd: boolean): void {
  for (let rows = view?.next(bytesMax); rows !== undefined; rows = view?.next(bytesMax)) {
    given.push(rows);
    if (!toEnd) return;
  }
}

test("versions, changed rows and frozen views are those of the table in TypeScript, whatever goes on meanwhile", () => {
  let drained = 0;
  let expired = 0;
  fc.assert(
    fc.property(
      spec,
      fc.constantFrom(1, 2),
      fc.array(step, { minLength: 5, maxLength: 40, size: "max" }),
      (one, count, steps) => {
        const parts = (): Part[] => Array.from({ length: count }, () => createPart(one));
        const table = count === 1 ? createTable(one) : createSplitTable(parts());
        const own: Watched = { table, given: [] };
        const oracle: Watched = { table: createTypeScriptTable(one), given: [] };
        let version = 1;
        for (const each of steps) {
          version += each.kind === "push" || each.kind === "advance" ? each.advance : 0;
          assert.deepEqual(take(own, each, version), take(oracle, each, version));
          if (each.kind === "next") readOn(own, each.bytesMax, false);
          if (each.kind === "drain" && own.view !== undefined) {
            readOn(own, each.bytesMax, true);
            readOn(oracle, each.bytesMax, true);
            const [rows, wanted] = [own, oracle].map(({ given }) => byId(given, one.dimension));
            assert.deepEqual(rows, wanted);
            drained += rows!.size;
          }
        }
        assert.deepEqual(clean(own.table.snapshot()), clean(oracle.table.snapshot()));
        assert.equal(own.table.turnover.refused, oracle.table.turnover.refused);
        const [counts, expected] = [own, oracle].map(
          ({ table: { counts: some } }) => some && clean(some.snapshot()),
        );
        assert.deepEqual(counts, expected);
        own.view?.release();
        own.table.sweep();
        assert.equal(own.table.rows, oracle.table.snapshot().ids.length);
        expired += own.table.turnover.expired;
      },
    ),
    { numRuns: 120 },
  );
  assert.ok(expired > 1_000, `only ${expired} rows expired`);
  assert.ok(drained > 5_000, `only ${drained} rows were compared`);
});
