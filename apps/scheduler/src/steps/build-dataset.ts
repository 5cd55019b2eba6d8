import type { ModelDefinition } from "@heddle/sdk";
import { isOfLog } from "../pipelines/log-windows.ts";
import { partitionsOf } from "../pipelines/partitions.ts";
import type { RunState } from "../runs/run-state.ts";
import type { StepContext, StepOfKind, Work } from "./work.ts";

/** Builds a dataset in a job; its output is `dataset`, the name. */
export async function buildDataset(
  step: StepOfKind<"build-dataset">,
  { run, step: name, clients, config, signal }: StepContext,
): Promise<Work> {
  const call = { timeoutMs: config.callMs, signal };
  const { configuration } = run;
  const { definitionJson } = await clients.registry.getConfiguration({ configuration }, call);
  const model = JSON.parse(definitionJson) as ModelDefinition;
  const { partitioning } = model;
  const { from, to } = partitionsOf(step.partitions, run.window, partitioning, isWarm(run, name));
  const input = {
    modelDefinitionJson: isOfLog(step.partitions)
      ? JSON.stringify(inWindows(model))
      : definitionJson,
    fromPartition: from,
    toPartition: to,
    use: step.use,
    // A variant differs in what it learns from; it is judged on the same rows as all others.
    branches: step.use === "training" ? run.branches : {},
  };
  return { kind: "jobs", members: [{ role: "dataset", program: "dataset", input }] };
}

/** The model with its examples in windows of the log; what they are judged on lies in later windows, so no share is held out. */
function inWindows(model: ModelDefinition): ModelDefinition {
  const { examples } = model;
  const { kind } = examples;
  const rows =
    kind === "rows" ? { kind, source: examples.source, label: examples.label } : examples;
  return { ...model, examples: rows, partitioning: { by: "log" } };
}

/** Whether what learns from this dataset continues from the run's parent. */
function isWarm(run: RunState, dataset: string): boolean {
  const warm = Object.values(run.definition.steps).some(
    (step) => step.kind === "train" && step.dataset === dataset && step.warmStart,
  );
  return warm && run.parent !== undefined && run.parent !== "";
}
