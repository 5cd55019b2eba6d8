import assert from "node:assert/strict";
import { test } from "node:test";
import { trafficLine } from "./traffic.ts";

const training = { steps: 20n, examples: 200n, attemptExamples: 100n };

test("bytes a step are those of the attempt's own steps, with what spared others", () => {
  const movedBytes = {
    ...{ pulled: 20_000n, pushed: 10_000n, saved: 9n },
    ...{ spared: 5_000n, sparedByIds: 4_000n, sparedByFormat: 1_000n },
  };
  assert.equal(
    trafficLine({ ...training, movedBytes }),
    "a step pulled 2.0 KiB and pushed 1000 B; 500 B did not have to move: 400 B by ids that were named by their list, 100 B by rows in fewer bytes than float32",
  );
});

test("a version of an earlier release, and an attempt with nothing left to train, say nothing", () => {
  assert.equal(trafficLine(undefined), undefined);
  assert.equal(trafficLine({ ...training, movedBytes: {} }), undefined);
  const movedBytes = { pulled: 0n, pushed: 0n };
  assert.equal(trafficLine({ ...training, attemptExamples: 0n, movedBytes }), undefined);
  assert.match(trafficLine({ ...training, movedBytes }) ?? "", /0 B did not have to move$/);
});
