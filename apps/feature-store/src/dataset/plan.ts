import {
  type DatasetPlan,
  type DatasetUse,
  exampleSource,
  type PlannedFeature,
  type PlannedSource,
} from "@heddle/feature-engine";
import type { ModelDefinition } from "@heddle/sdk";
import { listAll } from "@heddle/store";
import { refuse } from "../definitions/definition.ts";
import { checkModelPlan, sourceNamed, unknownName } from "../definitions/features.ts";
import { mainBranch, segmentsOn } from "../definitions/source.ts";
import type { FeatureStoreStore } from "../store.ts";

/**
 * The plan of a model's rows over all that its sources hold.
 *
 * @param branches source → the branch to read instead of main.
 * @throws {HeddleError} INVALID_ARGUMENT UNKNOWN_SOURCE, UNKNOWN_BRANCH, UNKNOWN_COLUMN, UNKNOWN_FEATURE, DEFINITION_INVALID.
 */
export async function planOf(
  store: FeatureStoreStore,
  model: ModelDefinition,
  use: DatasetUse,
  branches: Readonly<Record<string, string>>,
): Promise<DatasetPlan> {
  if (use === "ranking" && model.examples.kind === "rows") {
    throw refuse(
      `model ${model.name} has no candidates to rank: build its rows for training or evaluation`,
    );
  }
  const known = await listAll(store.sources);
  const features = await featuresOf(store, model);
  const { examples } = model;
  const names = new Set([
    exampleSource(examples),
    ...(examples.kind === "candidates" ? [examples.candidates.source] : []),
    ...features.flatMap(({ plan }) => (plan.from === "example" ? [] : [plan.source])),
  ]);
  const definitions = new Map(known.map(({ id, state }) => [id, state.definition]));
  checkBranches(branches, names, model.name);
  const sources: Record<string, PlannedSource> = {};
  for (const name of [...names].sort()) {
    const definition = sourceNamed(definitions, name, `model ${model.name}`);
    const state = known.find(({ id }) => id === name)?.state;
    const branch = branches[name] ?? mainBranch;
    if (state?.branches[branch] === undefined && branch !== mainBranch) {
      throw unknownName(
        "UNKNOWN_BRANCH",
        `source ${name} has no branch "${branch}": nothing was ingested into it`,
        branch,
        Object.keys(state?.branches ?? {}),
      );
    }
    sources[name] = {
      definition,
      branch,
      segments: state === undefined ? [] : segmentsOn(state, branch),
    };
  }
  const { partitioning, slices } = model;
  const plan = { model: model.name, use, examples, partitioning, features, slices, sources };
  checkModelPlan(plan);
  return plan;
}

/** A branch of a source that is not read would be passed over, and main's rows be taken for the branch's. */
function checkBranches(
  branches: Readonly<Record<string, string>>,
  read: ReadonlySet<string>,
  model: string,
): void {
  const other = Object.keys(branches).find((source) => !read.has(source));
  if (other === undefined) return;
  throw unknownName(
    "UNKNOWN_SOURCE",
    `a branch of the source "${other}" is asked for, which model ${model} does not read`,
    other,
    read,
  );
}

async function featuresOf(
  store: FeatureStoreStore,
  model: ModelDefinition,
): Promise<PlannedFeature[]> {
  const features: PlannedFeature[] = [];
  for (const view of model.views) {
    const known = await store.views.get(view);
    if (known === undefined) {
      throw unknownName(
        "UNKNOWN_FEATURE",
        `model ${model.name} reads the feature view ${view}, which nobody applied`,
        view,
        (await listAll(store.views)).map(({ id }) => id),
      );
    }
    for (const [name, plan] of Object.entries(known.state.definition.features)) {
      const twice = features.find((f) => f.name === name);
      if (twice !== undefined) {
        throw refuse(
          `model ${model.name}: the feature ${name} is in ${twice.view} and in ${view}; names must differ`,
        );
      }
      features.push({ name, view, plan });
    }
  }
  return features;
}
