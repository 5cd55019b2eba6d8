import assert from "node:assert/strict";
import { test } from "node:test";
import { definePipeline, retraining } from "@heddle/sdk";
import { withExecutor } from "./run.ts";

const retries = { attemptsMax: 1, initialMs: 0, maxMs: 0 };
const steps = retraining({ ranking: false });
const pipeline = definePipeline({ name: "p", owner: "o", model: "m", steps, retries });

test("another executor is asked for by the training steps alone, and by nobody unless it is named", () => {
  assert.deepEqual(withExecutor([pipeline], undefined), [pipeline]);
  assert.equal("executor" in steps["train"]!, false);
  const asking = retraining({ ranking: false, executor: "tensorflow" });
  assert.deepEqual(withExecutor([pipeline], "tensorflow"), [{ ...pipeline, steps: asking }]);
});
