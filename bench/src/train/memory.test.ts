import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@heddle/base";
import { type Held, slopeRow, tensorsRow } from "./memory.ts";

/** A learner that grows so many KiB a step, with garbage that comes and goes. */
function learner(growth: number, tensors: (step: number) => number = () => 7): Held[] {
  const random = seededRandom(3);
  return Array.from({ length: 400 }, (_, i) => ({
    ...{ step: 50 * i, residentKib: 200_000 + growth * 50 * i + 4_000 * random.next() },
    ...{ heapUsed: 0, arrayBuffers: 0, tensors: tensors(i) },
  }));
}
const verdict = (held: Held[]) => slopeRow("", held, (h) => h.residentKib, 0.5).verdict;

test("memory that stays is told from memory that leaks, through the noise of collections", () => {
  assert.equal(verdict(learner(0)), "holds");
  assert.equal(verdict(learner(2)), "missed");
  assert.equal(verdict(learner(0.5)), "not enough runs");
});

test("one tensor that stays behind is seen", () => {
  assert.equal(tensorsRow(learner(0)).verdict, "holds");
  assert.equal(tensorsRow(learner(0, (i) => (i > 300 ? 8 : 7))).verdict, "missed");
});
