import type { PipelineDefinition, Step } from "@heddle/sdk";

/** Steps whose outputs a step reads, with the kind each must be. */
export function inputsOf(
  step: Step,
): readonly { readonly step: string; readonly kind: Step["kind"] }[] {
  switch (step.kind) {
    case "build-dataset":
      return [];
    case "train":
      return [{ step: step.dataset, kind: "build-dataset" }];
    case "evaluate":
      return [
        { step: step.version, kind: "train" },
        { step: step.dataset, kind: "build-dataset" },
        ...(step.ranking === undefined
          ? []
          : [{ step: step.ranking, kind: "build-dataset" } as const]),
      ];
    case "gate":
      return [{ step: step.evaluation, kind: "evaluate" }];
    case "publish":
      return [{ step: step.gate, kind: "gate" }];
  }
}

/** All steps that must have succeeded before a step, near and far. */
export function stepsBefore(definition: PipelineDefinition, step: string): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (name: string): void => {
    for (const before of definition.steps[name]?.after ?? []) {
      if (found.has(before)) continue;
      found.add(before);
      visit(before);
    }
  };
  visit(step);
  return found;
}
