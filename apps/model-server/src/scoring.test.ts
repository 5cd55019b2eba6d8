import assert from "node:assert/strict";
import { test } from "node:test";
import { goldenError } from "./scoring.ts";

const errorOf = (outputs: readonly number[], recorded: readonly number[]): number =>
  goldenError({ outputs: Float32Array.from(outputs), recorded: Float32Array.from(recorded) });

test("golden outputs are as far from the recorded ones as the one that is farthest", () => {
  assert.equal(errorOf([0.5, 0.25, 1], [0.5, 0.5, 0.875]), 0.25);
  assert.equal(errorOf([0.5], [0.5]), 0);
});

test("golden outputs that are none, too few, too many or no numbers prove nothing", () => {
  for (const [outputs, recorded] of [
    [[], []],
    [[0.5], [0.5, 0.25]],
    [[0.5, 0.25], [0.5]],
    [[NaN], [0.5]],
    [[0.5], [NaN]],
    [[Infinity], [Infinity]],
  ] as const) {
    assert.equal(errorOf(outputs, recorded), Infinity, `${outputs} of ${recorded}`);
  }
});
