import assert from "node:assert/strict";
import { test } from "node:test";
import { definePipeline, onlineLearning, retraining, type Step } from "@heddle/sdk";
import { parsePipeline } from "./pipeline.ts";

const limits = { stepsMax: 8, jobsMax: 4 };
const retries = { attemptsMax: 3, initialMs: 100, maxMs: 1_000 };
const usual = definePipeline({
  name: "grocer",
  owner: "ranking",
  model: "grocer-ranking",
  steps: retraining({ from: 1, ranking: true }),
  retries,
});
const parse = (value: unknown) => parsePipeline(JSON.stringify(value), limits);
const withSteps = (steps: Record<string, unknown>) => ({ ...usual, steps });
const dataset: Step = { kind: "build-dataset", partitions: { kind: "next" }, use: "evaluation" };

test("the usual retraining pipeline is accepted as it is", () => {
  assert.deepEqual(parse(usual), usual);
});

test("what is not a pipeline is refused with the place and the remedy", () => {
  const refused: [unknown, string, RegExp][] = [
    [
      { ...usual, retires: 1 },
      "DEFINITION_INVALID",
      /pipeline definition grocer: unknown key "retires"/,
    ],
    [{ ...usual, name: "a/b" }, "DEFINITION_INVALID", /name: must be 1 to 64 of a-z/],
    [withSteps({}), "DEFINITION_INVALID", /it has 0 steps; 1 to 8/],
    [
      withSteps({
        a: { ...dataset, after: ["b"] },
        b: { ...dataset, after: ["c"] },
        c: { ...dataset, after: ["b"] },
      }),
      "STEP_CYCLE",
      /steps wait for each other: b after c after b/,
    ],
    [
      withSteps({
        ...usual.steps,
        gate: { kind: "gate", evaluation: "evaluat", after: ["evaluate"] },
      }),
      "UNKNOWN_STEP",
      /step gate names the step "evaluat", which is not there; did you mean "evaluate"\?/,
    ],
    [withSteps({ a: { ...dataset, after: ["zzzzzzz"] } }), "UNKNOWN_STEP", /its steps are a$/],
    [
      withSteps({ ...usual.steps, gate: { kind: "gate", evaluation: "train", after: ["train"] } }),
      "DEFINITION_INVALID",
      /step gate \(gate\) reads step train, which must be of kind evaluate, not train/,
    ],
    [
      withSteps({
        a: dataset,
        train: { kind: "train", dataset: "a", warmStart: true, shards: 1, after: [] },
      }),
      "DEFINITION_INVALID",
      /step train reads step a without coming after it/,
    ],
    [
      withSteps({
        a: dataset,
        train: {
          ...{ kind: "train", dataset: "a", warmStart: true, shards: 1, after: ["a"] },
          executor: "torch",
        },
      }),
      "DEFINITION_INVALID",
      /executor/,
    ],
    [
      withSteps({
        a: dataset,
        train: { kind: "train", dataset: "a", warmStart: true, shards: 4, after: ["a"] },
      }),
      "DEFINITION_INVALID",
      /step train needs 5 jobs at once .* use fewer of them or raise jobsMax/,
    ],
    [
      withSteps({
        a: dataset,
        train: {
          ...{ kind: "train", dataset: "a", warmStart: true, after: ["a"] },
          ...{ shards: 0, learners: 2 },
        },
      }),
      "DEFINITION_INVALID",
      /step train has 2 learners and no shards: .* give it a shard or more/,
    ],
  ];
  for (const [value, reason, message] of refused) {
    assert.throws(
      () => parse(value),
      { code: "INVALID_ARGUMENT", reason, message },
      String(message),
    );
  }
  assert.throws(() => parsePipeline("{", limits), {
    reason: "DEFINITION_INVALID",
    message: /not JSON/,
  });
});

test("a pipeline takes windows of the event log for all of its datasets, or for none", () => {
  const online = { ...usual, steps: onlineLearning({ windows: 3, holdout: 2, shards: 1 }) };
  assert.deepEqual(parse(online), online);
  assert.throws(() => parse({ ...online, steps: { ...online.steps, more: dataset } }), {
    reason: "DEFINITION_INVALID",
    message: /step dataset takes windows of the event log and step more partitions of the model/,
  });
});
