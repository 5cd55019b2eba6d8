import { liveVersion, outputOf, type StepContext, type StepOfKind, type Work } from "./work.ts";

/** Measures a version beside the live one in a job; its output is `evaluation`, the name. */
export async function evaluate(step: StepOfKind<"evaluate">, context: StepContext): Promise<Work> {
  const { run } = context;
  const live = await liveVersion(context);
  const input = {
    version: outputOf(run, step.version, "version"),
    liveVersion: live?.version ?? "",
    dataset: outputOf(run, step.dataset, "dataset"),
    rankingDataset: step.ranking === undefined ? "" : outputOf(run, step.ranking, "dataset"),
    referenceDataset: live?.recipe?.dataset ?? "",
  };
  return { kind: "jobs", members: [{ role: "evaluation", program: "evaluation", input }] };
}
