import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { casesVariable, sample } from "./sample.ts";

const before = process.env[casesVariable];
beforeEach(() => void delete process.env["HEDDLE_TEST_CASES"]);
afterEach(() => {
  if (before === undefined) delete process.env["HEDDLE_TEST_CASES"];
  else process.env[casesVariable] = before;
});

const cases = ["a", "b", "c", "d", "e", "f", "g"];

test("a sample is spread evenly, with the first and the last in it", () => {
  assert.deepEqual(sample(cases, 2), ["a", "g"]);
  assert.deepEqual(sample(cases, 3), ["a", "d", "g"]);
  assert.deepEqual(sample(cases, 4), ["a", "c", "e", "g"]);
  assert.deepEqual(sample(cases, 1), ["a"]);
});

test("few cases are all taken", () => {
  assert.deepEqual(sample(cases, 7), cases);
  assert.deepEqual(sample(cases, 9), cases);
});

test("a thorough run takes all", () => {
  process.env[casesVariable] = "all";
  assert.deepEqual(sample(cases, 2), cases);
});
