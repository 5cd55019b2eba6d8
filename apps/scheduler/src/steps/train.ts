import { type Member, outputOf, type StepContext, type StepOfKind, type Work } from "./work.ts";

/**
 * Trains in a gang of learners, of which the first leads, and shards, or by one learner that keeps the parameters itself; outputs are
 * `version` and `run`.
 */
export function train(step: StepOfKind<"train">, { run }: StepContext): Work {
  const { learners = 1, shards } = step;
  const recipe = {
    configuration: run.configuration,
    dataset: outputOf(run, step.dataset, "dataset"),
    parentVersion: step.warmStart ? (run.parent ?? "") : "",
    shards,
    ...(step.executor === undefined ? {} : { executor: step.executor }),
  };
  const members = (
    count: number,
    member: (n: number) => Omit<Member, "program">,
    program: Member["program"],
  ): Member[] => Array.from({ length: count }, (_, n) => ({ ...member(n), program }));
  return {
    kind: "jobs",
    members: [
      ...members(
        learners,
        (learner) => ({
          role: learner === 0 ? "learner" : `learner-${learner}`,
          input: { ...recipe, learners, learner },
        }),
        shards === 0 ? "learner-alone" : "learner",
      ),
      ...members(shards, (n) => ({ role: `shard-${n}`, input: {} }), "shard"),
    ],
  };
}
