import { isHeddleError } from "@heddle/base";
import {
  ageDays,
  bucketise,
  category,
  type CategoryExpression,
  clip,
  cross,
  difference,
  embedding,
  isMissing,
  log1p,
  type ModelInput,
  type NumberExpression,
  numeric,
  quantile,
  ratio,
  scale,
  standardise,
  value,
  withDefault,
} from "@heddle/sdk";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Column, ColumnBatch } from "./columns.ts";
import { compileTransform, fitNothing } from "./compile.ts";

const day = 86_400_000;
const numbers = (...list: (number | null)[]): Column => ({
  type: "float64",
  values: Float64Array.from(list, (x) => x ?? 0),
  valid: Uint8Array.from(list, (x) => (x === null ? 0 : 1)),
});
const batchOf = (rows: number, features: Record<string, Column>): ColumnBatch => ({
  rows,
  exampleTimeMs: new Float64Array(rows).fill(10 * day),
  features,
});
const reason = (name: string) => (error: unknown) => isHeddleError(error, name);

/** The numbers of one expression over x, y and t. */
function evaluate(of: NumberExpression, features: Record<string, Column>, rows: number): number[] {
  const program = compileTransform([numeric("n", of)], {
    ...fitNothing,
    standardise: { n: { mean: 2, deviation: 4 } },
  });
  return [...program.run(batchOf(rows, features)).numeric];
}

test("each transform of numbers does what its definition says", () => {
  const x = { x: numbers(3, -1, null), y: numbers(2, 0, 5) };
  const d = (of: NumberExpression): NumberExpression => withDefault(of, -9);
  const check = (of: NumberExpression, expected: number[]): void =>
    assert.deepEqual(evaluate(of, x, 3), expected.map(Math.fround));
  check(d(value("x")), [3, -1, -9]);
  check(isMissing("x"), [0, 0, 1]);
  check(d(clip(value("x"), 0, 2)), [2, 0, -9]);
  check(d(scale(value("x"), 10, 1)), [40, 0, -9]);
  check(d(ratio(value("x"), value("y"))), [1.5, -9, -9]);
  check(d(ratio(value("y"), value("x"))), [2 / 3, -0, -9]);
  check(d(difference(value("x"), value("y"))), [1, -1, -9]);
  check(log1p(withDefault(clip(value("x"), 0, 9), 1)), [Math.log(4), 0, Math.log(2)]);
  check(standardise(withDefault(value("x"), 2)), [0.25, -0.75, 0]);
  const t: Column = { type: "timestamp", values: Float64Array.of(9.5 * day, 10 * day) };
  assert.deepEqual(evaluate(ageDays("t"), { t }, 2), [0.5, 0]);
});

/** The id each row of `features` has in one embedding input. */
function ids(
  of: CategoryExpression,
  features: Record<string, Column>,
  rows: number,
  name = "e",
): bigint[] {
  const plan: ModelInput[] = [embedding(name, of)];
  const fit = { ...fitNothing, quantile: { [name]: [1, 2] } };
  return [...compileTransform(plan, fit).run(batchOf(rows, features)).ids];
}

const brand: Column = {
  type: "category",
  dictionary: ["a", "b"],
  codes: Int32Array.of(0, 1, -1, 0),
};

test("an id is XXH64 of name, zero byte and value, the same for ever", () => {
  const [a, b, missing, again] = ids(category("brand"), { brand }, 4, "brand");
  // Of the bytes "brand\0a", "brand\0b" and "brand\x01": embeddings trained today are found by these.
  assert.deepEqual([a, b, missing], [23000897498251407n, 513924855735982710n, 171711037114207091n]);
  assert.equal(again, a);
});

test("equal values of different inputs, and values that look like null, have ids of their own", () => {
  const odd: Column = {
    type: "category",
    dictionary: ["", "null", "\u0001"],
    codes: Int32Array.of(0, 1, 2, -1),
  };
  const all = [...ids(category("odd"), { odd }, 4, "p"), ...ids(category("odd"), { odd }, 4, "q")];
  assert.equal(new Set(all).size, 8);
});

test("buckets: a bound belongs to the interval above it, null is a bucket of its own", () => {
  const x = { x: numbers(-1, 0, 0.5, 1, 7, null, null) };
  const [below, zero, half, one, seven, missing, again] = ids(bucketise(value("x"), [0, 1]), x, 7);
  assert.equal(zero, half);
  assert.equal(one, seven);
  assert.equal(missing, again);
  assert.equal(new Set([below, zero, one, missing]).size, 4);
  const byQuantile = ids(quantile(value("x"), 3), { x: numbers(0, 1, 1.5, 2, 9) }, 5);
  assert.deepEqual([byQuantile[1], byQuantile[3]], [byQuantile[2], byQuantile[4]]);
  assert.equal(new Set(byQuantile).size, 3);
});

test("a million crosses of two features do not meet, and their order counts", () => {
  const side = 1_000;
  const dictionary = Array.from({ length: side }, (_, i) => `${i}`);
  const rows = side * side;
  const column = (code: (row: number) => number): Column => ({
    type: "category",
    dictionary,
    codes: Int32Array.from({ length: rows }, (_, i) => code(i)),
  });
  const features = { a: column((i) => Math.floor(i / side)), b: column((i) => i % side) };
  const forth = ids(cross(category("a"), category("b")), features, rows);
  assert.equal(new Set(forth).size, rows);
  const low = new Set(forth.map((id) => Number(id & 0xffffffffn)));
  // Two random sets of 32 bits meet about n²/2³³ = 116 times.
  assert.ok(rows - low.size < 200, `${rows - low.size} lower halves meet`);
  const back = ids(cross(category("b"), category("a")), features, rows);
  assert.notEqual(back[1], forth[1]);
});

test("dictionary entries are hashed once for all slices, and again when the dictionary has grown", () => {
  const dictionary = ["a"];
  const program = compileTransform([embedding("e", category("x"))], fitNothing);
  const batch = (): ColumnBatch =>
    batchOf(2, {
      x: { type: "category", dictionary, codes: Int32Array.of(0, dictionary.length - 1) },
    });
  const first = program.codedIds(batch(), 0, 1)[0]?.ids;
  assert.equal(program.codedIds(batch(), 1, 2)[0]?.ids, first);
  dictionary.push("b");
  assert.equal(program.run(batch()).ids[1], ids(category("x"), batch().features, 2)[1]);
});

test("null and what is no number at the end are refused by input, row and feature", () => {
  const program = (of: NumberExpression) => compileTransform([numeric("n", of)], fitNothing);
  const run =
    (of: NumberExpression, ...list: (number | null)[]) =>
    () =>
      program(of).run(batchOf(list.length, { x: numbers(...list) }));
  assert.throws(run(value("x"), 1, null), /input n is null in row 1 \(from feature x\)/);
  assert.throws(run(value("x"), 1, 2, NaN), /input n is NaN in row 2 \(from feature x\)/);
  assert.throws(run(withDefault(value("x"), 0), Infinity), reason("NOT_A_NUMBER"));
  assert.throws(run(log1p(value("x")), -2), reason("NOT_A_NUMBER"));
  assert.throws(run(value("x"), 1e39), reason("NOT_A_NUMBER"));
  const buckets = compileTransform([embedding("e", bucketise(log1p(value("x")), [0]))], fitNothing);
  assert.throws(() => buckets.run(batchOf(1, { x: numbers(-2) })), reason("NOT_A_NUMBER"));
});

test("a feature that is absent or of another type is refused by name", () => {
  const x = numbers(1);
  const run = (input: ModelInput) => () =>
    compileTransform([input], fitNothing).run(batchOf(1, { x, brand }));
  assert.throws(run(numeric("n", value("y"))), /no feature y, which input n reads/);
  assert.throws(run(numeric("n", value("toString"))), reason("MISSING_FEATURE"));
  assert.throws(run(numeric("n", value("brand"))), reason("WRONG_TYPE"));
  assert.throws(run(numeric("n", ageDays("x"))), reason("WRONG_TYPE"));
  assert.throws(run(embedding("e", category("x"))), reason("WRONG_TYPE"));
});

test("a plan that cannot run is refused when it is compiled", () => {
  const compile =
    (...plan: ModelInput[]) =>
    () =>
      compileTransform(plan, fitNothing);
  assert.throws(compile(numeric("n", standardise(value("x")))), reason("MISSING_FIT"));
  assert.throws(compile(embedding("e", quantile(value("x"), 4))), reason("MISSING_FIT"));
  assert.throws(
    compile(embedding("e", bucketise(value("x"), [1, 1]))),
    reason("BOUNDS_NOT_ASCENDING"),
  );
  assert.throws(compile(embedding("e", cross(category("x")))), reason("CROSS_OF_ONE"));
  assert.throws(
    compile(numeric("n", value("x")), numeric("n", value("y"))),
    reason("DUPLICATE_INPUT"),
  );
  const unknown = { op: "sqrt" } as unknown as NumberExpression;
  assert.throws(compile(numeric("n", unknown)), reason("UNKNOWN_TRANSFORM"));
  const odd = { op: "tokens" } as unknown as CategoryExpression;
  assert.throws(compile(embedding("e", odd)), reason("UNKNOWN_TRANSFORM"));
});

test("features lists what the plan reads, once each", () => {
  const plan = [
    numeric("n", ratio(value("b"), value("a"))),
    embedding("e", cross(category("c"), bucketise(difference(value("a"), ageDays("d")), [0]))),
  ];
  const program = compileTransform(plan, fitNothing);
  assert.deepEqual(program.features, ["a", "b", "c", "d"]);
  assert.deepEqual([program.numericNames, program.embeddingNames], [["n"], ["e"]]);
});
