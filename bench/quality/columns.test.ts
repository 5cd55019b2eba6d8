import assert from "node:assert/strict";
import { test } from "node:test";
import {
  category,
  cross,
  embedding,
  log1p,
  type ModelInput,
  numeric,
  ratio,
  standardise,
  value,
  withDefault,
} from "@heddle/sdk";
import type { ExampleBatch } from "@heddle/transform";
import { peerColumns } from "./columns.ts";

const inputs: readonly ModelInput[] = [
  numeric("price", standardise(log1p(withDefault(ratio(value("sales"), value("units")), 0)))),
  numeric("sold", standardise(value("units"))),
  embedding("place", cross(category("shelf"), category("page"))),
  embedding("shelf", category("shelf")),
];

function batchOf(shelf: readonly string[], codes: readonly number[]): ExampleBatch {
  const rows = codes.length;
  return {
    rows,
    exampleTimeMs: new Float64Array(rows).fill(3 * 86_400_000),
    features: {
      shelf: { type: "category", dictionary: shelf, codes: Int32Array.from(codes) },
      page: { type: "category", dictionary: ["p"], codes: new Int32Array(rows) },
      sales: { type: "int64", values: new Float64Array(rows).fill(10) },
      units: {
        type: "int64",
        values: new Float64Array(rows).fill(4).fill(0, 1),
        valid: new Uint8Array(rows).fill(1).fill(0, 1),
      },
      last: { type: "timestamp", values: new Float64Array(rows).fill(86_400_000) },
    },
    label: new Float32Array(rows),
    weight: new Float32Array(rows).fill(1),
    visit: new Int32Array(rows),
  };
}

test("features are raw, times are ages, nulls are NaN, and what joins features is a column", () => {
  const batch = batchOf(["a", "b"], [1, -1]);
  const { columns, of } = peerColumns(inputs, batch);
  const arrays = of(batch);
  const found = Object.fromEntries(columns.map(({ name }, i) => [name, [...(arrays[i] ?? [])]]));
  assert.deepEqual(found, {
    last: [2, 2],
    page: [0, 0],
    sales: [10, 10],
    shelf: [1, Number.NaN],
    units: [4, Number.NaN],
    price: [2.5, 0],
    place: [0, 1],
  });
  assert.deepEqual(
    columns.filter(({ kind }) => kind === "category").map(({ name }) => name),
    ["page", "shelf", "place"],
  );
});

test("a code means the same word in every batch", () => {
  const first = batchOf(["a", "b"], [0, 1]);
  const { columns, of } = peerColumns(inputs, first);
  const shelf = columns.findIndex(({ name }) => name === "shelf");
  const place = columns.findIndex(({ name }) => name === "place");
  const [one, two] = [of(first), of(batchOf(["c", "b"], [0, 1]))];
  assert.deepEqual([...(one[shelf] ?? [])], [0, 1]);
  assert.deepEqual([...(two[shelf] ?? [])], [2, 1]);
  assert.equal(one[place]?.[1], two[place]?.[1]);
  assert.notEqual(one[place]?.[0], two[place]?.[0]);
});
