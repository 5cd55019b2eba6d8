import assert from "node:assert/strict";
import { test } from "node:test";
import { definePipeline, retraining } from "@heddle/sdk";
import { withTraining } from "./run.ts";

const retries = { attemptsMax: 1, initialMs: 0, maxMs: 0 };
const steps = retraining({ ranking: false });
const pipeline = definePipeline({ name: "p", owner: "o", model: "m", steps, retries });

test("what is asked of training is asked of the training steps alone, and nothing is unless it is named", () => {
  assert.deepEqual(withTraining([pipeline], {}), [pipeline]);
  assert.equal("executor" in steps["train"]!, false);
  const asked = { executor: "tensorflow", shards: 2 } as const;
  const asking = retraining({ ranking: false, ...asked });
  assert.deepEqual(withTraining([pipeline], asked), [{ ...pipeline, steps: asking }]);
});
