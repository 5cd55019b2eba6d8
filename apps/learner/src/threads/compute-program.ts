/** The program of the compute thread: runs steps on an executor, and writes the version in the end. */
import { present } from "@heddle/base";
import { openExecutor } from "@heddle/executor";
import { openObjects } from "@heddle/objects";
import type { ModelDefinition } from "@heddle/sdk";
import { openStep, type StepRunner, type StepRuns } from "../network.ts";
import { computeActivities, type ComputeOptions, type StepWork } from "./compute-thread.ts";
import { serveThread, threadActivities, threadOptions } from "./serve.ts";
import { type VersionOrder, writeVersion } from "../write-version.ts";

const options = threadOptions<ComputeOptions>();
const activities = threadActivities();
let step: StepRunner | undefined;
let runs: (() => StepRuns) | undefined;

const close = async (): Promise<void> => {
  await step?.[Symbol.asyncDispose]();
  step = undefined;
};

const open = async () => {
  const executor = await openExecutor(options.executor);
  const objects = await openObjects(options.objects);
  return {
    environment: () => executor.environment,
    open: async (definition: ModelDefinition) => {
      step = await openStep(definition, executor);
      runs = step.runs;
    },
    step: async ({ batch, pulled, into }: StepWork) => {
      const before = activities.turnTo(computeActivities.indexOf("compute"));
      try {
        return await present(step, "an opened step").run(batch, pulled, into);
      } finally {
        activities.turnTo(before);
      }
    },
    close,
    runs: () => runs?.(),
    write: (order: VersionOrder) => writeVersion({ objects, executor }, order),
  };
};

serveThread(open(), activities, close);
