import { outputOf, type StepContext, type StepOfKind, type Work } from "./work.ts";

/** Trains in a gang of one learner, who leads, and its shards; outputs are `version` and `run`. */
export function train(step: StepOfKind<"train">, { run }: StepContext): Work {
  const input = {
    configuration: run.configuration,
    dataset: outputOf(run, step.dataset, "dataset"),
    parentVersion: step.warmStart ? (run.parent ?? "") : "",
    shards: step.shards,
    ...(step.executor === undefined ? {} : { executor: step.executor }),
  };
  const shards = Array.from(
    { length: step.shards },
    (_, n) => ({ role: `shard-${n}`, program: "shard", input: {} }) as const,
  );
  return { kind: "jobs", members: [{ role: "learner", program: "learner", input }, ...shards] };
}
