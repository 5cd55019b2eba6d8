import assert from "node:assert/strict";
import { test } from "node:test";
import { unchangedShare } from "./unchanged.ts";

test("without a lag every row that is read again was pushed before, with one those of the step before are as they were", () => {
  const steps = [[1, 2], [1, 3], [1, 3, 4], [5]];
  assert.equal(unchangedShare(steps, 0), 0);
  // Step 2 reads the same state as step 1, so row 1 is as it was. Step 3 reads what step 1 pushed: row 1 is not, row 3 is.
  assert.equal(unchangedShare(steps, 1), 2 / 8);
  assert.equal(unchangedShare([[1], [2], [1]], 1), 0);
});
