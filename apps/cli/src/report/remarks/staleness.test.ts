import assert from "node:assert/strict";
import { test } from "node:test";
import { stalenessLine } from "./staleness.ts";

test("a training in bounded mode says how stale its updates were, and what its bounds refused", () => {
  assert.equal(
    stalenessLine({ staleness: [1_500n, 0n, 490n, 10n], inFlightMax: 4, staleRefused: 3n }),
    "updates by staleness: 0 in 75 %, 2 in 25 %, 3 in under 1 %; at most 4 under way at a time; 3 refused as too stale and computed again",
  );
});

test("one in exact mode says nothing", () => {
  assert.equal(stalenessLine({ staleness: [], inFlightMax: 0, staleRefused: 0n }), undefined);
  assert.equal(stalenessLine(undefined), undefined);
});
