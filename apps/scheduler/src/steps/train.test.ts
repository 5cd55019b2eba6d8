import assert from "node:assert/strict";
import { test } from "node:test";
import type { Step } from "@heddle/sdk";
import { needOf } from "../attempts/slots.ts";
import { train } from "./train.ts";
import type { StepContext, StepOfKind } from "./work.ts";

const step: StepOfKind<"train"> = {
  kind: "train",
  dataset: "dataset",
  warmStart: false,
  shards: 2,
  after: ["dataset"],
};
const dataset = { step: "dataset", outputs: { dataset: "d1" } };
const context = { run: { configuration: "c1", steps: [dataset] } } as unknown as StepContext;

const membersOf = (of: StepOfKind<"train">) => {
  const work = train(of, context);
  assert.equal(work.kind, "jobs");
  return work.kind === "jobs" ? work.members : [];
};

test("a training step is one learner and its shards, or several learners with the same recipe and numbers of their own", () => {
  const alone = membersOf(step);
  assert.deepEqual(
    alone.map(({ role, program }) => [role, program]),
    [
      ["learner", "learner"],
      ["shard-0", "shard"],
      ["shard-1", "shard"],
    ],
  );
  const [leader, other, ...shards] = membersOf({ ...step, learners: 2 });
  assert.deepEqual([leader?.role, other?.role, shards.length], ["learner", "learner-1", 2]);
  assert.deepEqual(other?.input, { ...leader?.input, learner: 1 });
  assert.equal(leader?.input["learner"], 0);
});

test("without shards the learner has a program that keeps the parameters", () => {
  const [only, ...others] = membersOf({ ...step, shards: 0 });
  assert.deepEqual([only?.role, only?.program, others], ["learner", "learner-alone", []]);
  assert.equal(only?.input["shards"], 0);
});

test("each learner counts as a core, and each member as a job", () => {
  const need = (of: Step) => needOf(of);
  assert.deepEqual(need(step), { cpu: 1, jobs: 3 });
  assert.deepEqual(need({ ...step, learners: 3 }), { cpu: 3, jobs: 5 });
});

test("a learner is told an executor when the pipeline asks for one, and else keeps its own default", () => {
  const inputOf = (of: StepOfKind<"train">) => membersOf(of)[0]?.input ?? {};
  assert.equal(inputOf({ ...step, executor: "tensorflow" })["executor"], "tensorflow");
  assert.equal("executor" in inputOf(step), false);
});
