import { present } from "@heddle/base";
import { buildDataset } from "./build-dataset.ts";
import { evaluate } from "./evaluate.ts";
import { gate } from "./gate.ts";
import { publish } from "./publish.ts";
import { train } from "./train.ts";
import type { StepContext, Work } from "./work.ts";

/** What an attempt of a step does, whatever its kind. */
export async function workOf(context: StepContext): Promise<Work> {
  const step = present(context.run.definition.steps[context.step], `step ${context.step}`);
  switch (step.kind) {
    case "build-dataset":
      return buildDataset(step, context);
    case "train":
      return train(step, context);
    case "evaluate":
      return evaluate(step, context);
    case "gate":
      return gate(step, context);
    case "publish":
      return publish(step, context);
  }
}
