import type { DatasetManifest } from "@heddle/proto/feature-store";
import type { ModelDefinition } from "@heddle/sdk";
import type { Recipe } from "../models/run.ts";
import type { Edge } from "./edges.ts";

/** The stored edges of a configuration. */
export function configurationEdges(configuration: string, definition: ModelDefinition): Edge[] {
  const from = `configuration:${configuration}`;
  const { transfer } = definition.training;
  return [
    ...(transfer === undefined
      ? []
      : [{ from, to: `version:${transfer.from}`, relation: "takes parameters from" }]),
    ...definition.views.map((view) => ({ from, to: `view:${view}`, relation: "reads" })),
    ...exampleSources(definition).map((source) => ({
      from,
      to: `source:${source}`,
      relation: "takes examples from",
    })),
  ];
}

/** The stored edges of a run. */
export function runEdges(run: string, recipe: Recipe): Edge[] {
  const from = `run:${run}`;
  const edges = [
    { from, to: `configuration:${recipe.configuration}`, relation: "configured by" },
    { from, to: `dataset:${recipe.dataset}`, relation: "trained on" },
  ];
  if (recipe.parentVersion === "") return edges;
  return [...edges, { from, to: `version:${recipe.parentVersion}`, relation: "started from" }];
}

export function versionEdges(version: string, run: string): Edge[] {
  return [{ from: `version:${version}`, to: `run:${run}`, relation: "made by" }];
}

/** The stored edges of a dataset: the sources and views that its inputs name. */
export function datasetEdges(dataset: string, { inputs }: DatasetManifest): Edge[] {
  const from = `dataset:${dataset}`;
  return inputs.flatMap((to) => {
    if (to.startsWith("source:")) return [{ from, to, relation: "built from" }];
    return to.startsWith("view:") ? [{ from, to, relation: "holds" }] : [];
  });
}

function exampleSources({ examples }: ModelDefinition): string[] {
  if (examples.kind === "rows") return [examples.source];
  return [...new Set([examples.visits.source, examples.candidates.source])];
}
