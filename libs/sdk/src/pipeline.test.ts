import assert from "node:assert/strict";
import { test } from "node:test";
import { onlineLearning, retraining } from "./pipeline.ts";

const datasets = (steps: ReturnType<typeof onlineLearning>) =>
  Object.fromEntries(
    Object.entries(steps).flatMap(([name, step]) =>
      step.kind === "build-dataset" ? [[name, [step.partitions, step.use]]] : [],
    ),
  );

test("what is learnt from the log is judged on the windows right behind it, which nobody has learnt yet", () => {
  assert.deepEqual(datasets(onlineLearning({ windows: 3, holdout: 2 })), {
    dataset: [{ kind: "log", windows: 3 }, "training"],
    holdout: [{ kind: "log-next", after: 3, windows: 2 }, "evaluation"],
  });
});

test("what is learnt from partitions is judged, and ranked, on the next one", () => {
  const next = { kind: "next" };
  assert.deepEqual(datasets(retraining({ from: 1, ranking: true })), {
    dataset: [{ kind: "training", from: 1 }, "training"],
    holdout: [next, "evaluation"],
    ranking: [next, "ranking"],
  });
  assert.deepEqual(datasets(retraining({ ranking: false })), {
    dataset: [{ kind: "training" }, "training"],
    holdout: [next, "evaluation"],
  });
});
