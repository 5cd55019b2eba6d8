import assert from "node:assert/strict";
import { test } from "node:test";
import { type Layer, sinceOf } from "./chain.ts";

const layer = (step: number, rows: number): Layer => ({ step, rows, files: [] });

test("the first cut holds all rows, and those after it what changed since the one before", () => {
  assert.equal(sinceOf([]), undefined);
  assert.equal(sinceOf([layer(4, 100)]), 4);
  assert.equal(sinceOf([layer(4, 100), layer(8, 40)]), 8);
});

test("a new base comes when what changed is as much as the base, or the layers are many", () => {
  assert.equal(sinceOf([layer(4, 100), layer(8, 60), layer(12, 40)]), undefined);
  const many = Array.from({ length: 16 }, (_, i) => layer(2 + i, 1));
  assert.equal(sinceOf([layer(1, 100), ...many.slice(1)]), 17);
  assert.equal(sinceOf([layer(1, 100), ...many]), undefined);
  assert.equal(
    sinceOf([layer(4, 0)]),
    undefined,
    "an empty base, or one of a release that did not count",
  );
});
