import assert from "node:assert/strict";
import { test } from "node:test";
import { sampling } from "./thorough.ts";

test("the thorough run finds the files that take a sample, and no others", () => {
  const files = sampling();
  assert.ok(files.includes("apps/learner/src/stories/exact.test.ts"));
  assert.ok(files.includes("test/e2e/src/grocer.test.ts"));
  assert.ok(!files.includes("apps/learner/src/run.test.ts"));
  assert.ok(!files.includes("libs/testkit/src/sample.test.ts"));
});
