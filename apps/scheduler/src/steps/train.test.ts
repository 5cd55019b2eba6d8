import assert from "node:assert/strict";
import { test } from "node:test";
import type { StepContext, StepOfKind } from "./work.ts";
import { train } from "./train.ts";

const step: StepOfKind<"train"> = {
  kind: "train",
  dataset: "dataset",
  warmStart: true,
  shards: 1,
  after: ["dataset"],
};
const run = { configuration: "c1", steps: [{ step: "dataset", outputs: { dataset: "d1" } }] };

function learnerInput(of: StepOfKind<"train">): Readonly<Record<string, unknown>> {
  const work = train(of, { run } as unknown as StepContext);
  assert.ok(work.kind === "jobs");
  return work.members[0]!.input;
}

test("a learner is told an executor when the pipeline asks for one, and else keeps its own default", () => {
  assert.equal(learnerInput({ ...step, executor: "tensorflow" })["executor"], "tensorflow");
  assert.equal("executor" in learnerInput(step), false);
});
