import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExampleBatch } from "@heddle/transform";
import { chooseSlices, openSlicer } from "./slices.ts";

/** Two partitions code the same words differently. */
function batch(dictionary: readonly string[], codes: readonly number[]): ExampleBatch {
  const rows = codes.length;
  return {
    rows,
    exampleTimeMs: new Float64Array(rows),
    features: { department: { type: "category", dictionary, codes: Int32Array.from(codes) } },
    label: new Float32Array(rows),
    weight: new Float32Array(rows).fill(1),
    visit: new Int32Array(rows),
  };
}

test("a value is one slice in whatever partition and code it comes; null is a value", () => {
  const slicer = openSlicer({ name: "department", by: "department" });
  const first = slicer.codes(batch(["DAIRY", "DELI"], [0, 1, -1]));
  const second = slicer.codes(batch(["DELI", "FISH"], [1, 0, -1, 0]));
  const words = (codes: Int32Array): string[] => Array.from(codes, slicer.nameOf);
  assert.deepEqual(words(first), ["department=DAIRY", "department=DELI", "department="]);
  assert.deepEqual(words(second), [
    "department=FISH",
    "department=DELI",
    "department=",
    "department=DELI",
  ]);
});

test("the values with the most positives are measured, the others are no slice", () => {
  const slicer = openSlicer({ name: "department", by: "department" });
  const codes = slicer.codes(batch(["A", "B", "C"], [0, 1, 1, 2, 2, 2]));
  const label = Float32Array.of(1, 1, 1, 0, 0, 0);
  const { names, places } = chooseSlices(slicer, codes, label, 2);
  assert.deepEqual(names, ["department=B", "department=A"]);
  assert.deepEqual(
    Array.from(codes, (code) => places[code] ?? -1),
    [1, 0, 0, -1, -1, -1],
  );
});

test("a condition makes one slice of the rows it holds for", () => {
  const where = [{ column: "department", is: "=", value: "DELI" }] as const;
  const slicer = openSlicer({ name: "deli", where });
  const codes = slicer.codes(batch(["DAIRY", "DELI"], [0, 1, -1]));
  assert.deepEqual([...codes], [-1, 0, -1]);
  assert.deepEqual(chooseSlices(slicer, codes, Float32Array.of(1, 0, 1), 2).names, ["deli"]);
});

test("a slice by what is no category is refused by name", () => {
  const slicer = openSlicer({ name: "price", by: "price" });
  assert.throws(() => slicer.codes(batch(["A"], [0])), {
    reason: "SLICE_NOT_CATEGORY",
    message: /^slice price is by "price"/,
  });
});
