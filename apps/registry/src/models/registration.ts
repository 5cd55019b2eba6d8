import { HeddleError } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import type { Objects } from "@heddle/objects";
import { type ChangeContext, changedTo, createOnce, type Known } from "@heddle/store";
import type { Clock } from "@heddle/base";
import type { Limits } from "../config.ts";
import { readDefinition } from "../definitions/definition.ts";
import { configured, newFamily, numbered, numberOf, withRun } from "./family.ts";
import type { FeatureStore } from "../feature-store.ts";
import {
  configurationEdges,
  datasetEdges,
  runEdges,
  versionEdges,
} from "../lineage/lineage-edges.ts";
import { checkManifest, checkStored } from "./manifest.ts";
import {
  endedWith,
  nameRecipe,
  type ObjectPlace,
  type Recipe,
  type Run,
  type Snapshot,
  withSnapshot,
} from "./run.ts";
import {
  findByPrefix,
  modelEvent,
  type RegistryStore,
  trailEvent,
  updateByPrefix,
} from "../store.ts";
import type { TrainingSummary } from "./version.ts";

export interface RegistrationDeps {
  readonly registry: RegistryStore;
  readonly objects: Objects;
  readonly features: FeatureStore;
  readonly clock: Clock;
  readonly limits: Limits;
}

/*
 * What is made from what is registered in steps over several aggregates: first the immutable thing
 * under its content name, then the list that finds it. Each step is repeatable, so a repeat of the
 * request after a crash finishes what the first one began.
 */

/**
 * Registers a definition and makes it its model's current one.
 *
 * @throws {HeddleError} INVALID_ARGUMENT DEFINITION_INVALID; NOT_FOUND UNKNOWN_VERSION of a transfer; UNKNOWN_SOURCE, UNKNOWN_COLUMN,
 * UNKNOWN_FEATURE from the feature store, whose definitions a model reads.
 */
export async function createConfiguration(
  definitionJson: string,
  context: ChangeContext,
  { registry, features, clock, limits }: RegistrationDeps,
): Promise<{ readonly configuration: string; readonly created: boolean }> {
  const { configuration, definition } = readDefinition(definitionJson);
  const { name: model, owner, author } = definition;
  await features.checkModel(definition);
  const { transfer } = definition.training;
  if (transfer !== undefined) await findByPrefix(registry.versions, "version", transfer.from);
  const opened = {
    state: newFamily(model, owner),
    events: [trailEvent(model, "family-opened")],
  };
  const { state } = await createOnce(registry.families, model, opened, context);
  // Before anything is written: another owner's definition leaves no trace.
  configured(state, configuration, owner, limits);
  await registry.edges.add(configurationEdges(configuration, definition));
  const entry = {
    state: { configuration, definition, author, createdTimeMs: clock.now() },
    events: [trailEvent(model, "configuration-stored")],
  };
  const { created } = await createOnce(registry.configurations, configuration, entry, context);
  failpoint("registry.configure.after-store");
  await registry.families.update(
    model,
    (family) =>
      changedTo(
        family,
        configured(family, configuration, owner, limits),
        modelEvent(model, "configured", { configuration }),
      ),
    withStep(context, "list"),
  );
  return { configuration, created };
}

/** Opens the run of a recipe, or finds it. */
export async function createRun(
  recipe: Recipe,
  context: ChangeContext,
  deps: RegistrationDeps,
): Promise<Run> {
  const { registry, limits } = deps;
  const { id: configuration, state } = await findByPrefix(
    registry.configurations,
    "configuration",
    recipe.configuration,
  );
  const model = state.definition.name;
  const parentVersion =
    recipe.parentVersion === ""
      ? ""
      : (await findByPrefix(registry.versions, "version", recipe.parentVersion)).id;
  await indexDataset(recipe.dataset, deps);
  const named = { ...recipe, configuration, parentVersion };
  const run = nameRecipe(named);
  await registry.edges.add(runEdges(run, named));
  const opened: Run = {
    run,
    model,
    recipe: named,
    snapshots: [],
    version: "",
    createdTimeMs: deps.clock.now(),
  };
  const { dataset } = recipe;
  const events = [modelEvent(model, "run-opened", { run, dataset, configuration })];
  const created = await createOnce(registry.runs, run, { state: opened, events }, context);
  failpoint("registry.open-run.after-store");
  await registry.families.update(
    model,
    (family) => changedTo(family, withRun(family, run, limits), trailEvent(model, "run-listed")),
    withStep(context, "list"),
  );
  return created.state;
}

export async function recordSnapshot(
  run: string,
  snapshot: Snapshot,
  context: ChangeContext,
  { registry, objects, limits }: RegistrationDeps,
): Promise<void> {
  await checkStored(snapshot.manifest, objects);
  const decide = (state: Run, { id }: Known<Run>) => {
    const next = withSnapshot(state, snapshot, limits.snapshotsPerRunMax);
    return changedTo(state, next, modelEvent(state.model, "snapshot", { run: id }));
  };
  await updateByPrefix(registry.runs, "run", run, decide, context);
}

/**
 * Registers the version that a run ended with: the run decides which one that is, the family
 * decides its number, and only then does it exist.
 */
export async function registerVersion(
  run: string,
  manifest: ObjectPlace,
  training: TrainingSummary,
  context: ChangeContext,
  { registry, objects, clock, limits }: RegistrationDeps,
): Promise<{ readonly version: string; readonly number: number }> {
  const found = await findByPrefix(registry.runs, "run", run);
  const { model } = found.state;
  const version = manifest.sha256;
  await checkManifest(manifest, found.state, objects);
  await registry.runs.update(
    found.id,
    (state) => changedTo(state, endedWith(state, version), trailEvent(model, "run-ended")),
    withStep(context, "end"),
  );
  failpoint("registry.register.after-run");
  const family = await registry.families.update(
    model,
    (state) =>
      changedTo(state, numbered(state, version, limits), trailEvent(model, "version-numbered")),
    withStep(context, "number"),
  );
  failpoint("registry.register.after-number");
  await registry.edges.add(versionEdges(version, found.id));
  const number = numberOf(family.state, version);
  const { dataset, configuration } = found.state.recipe;
  const origin = { run: found.id, dataset, configuration };
  const entry = {
    state: {
      version,
      model,
      run: found.id,
      manifest,
      training,
      createdTimeMs: clock.now(),
      verdict: "" as const,
      evaluation: "",
      failedChecks: [],
      archived: false,
      ...(context.traceparent !== undefined && { traceparent: context.traceparent }),
    },
    events: [modelEvent(model, "registered", { version, number, ...origin })],
  };
  await createOnce(registry.versions, version, entry, context);
  return { version, number };
}

/**
 * Makes sure that the lineage knows what a dataset was built from.
 *
 * @throws {HeddleError} NOT_FOUND UNKNOWN_DATASET.
 */
async function indexDataset(
  dataset: string,
  { registry, features }: Pick<RegistrationDeps, "registry" | "features">,
): Promise<void> {
  const manifest = await features.dataset(dataset);
  if (manifest === undefined) {
    throw new HeddleError(
      "NOT_FOUND",
      "UNKNOWN_DATASET",
      `the feature store knows no dataset "${dataset}": build and commit it first`,
      { metadata: { dataset } },
    );
  }
  await registry.edges.add(datasetEdges(dataset, manifest));
}

/**
 * One request changes several aggregates, and one aggregate perhaps twice: each step has a request
 * id of its own, derived from the caller's.
 */
function withStep(context: ChangeContext, step: string): ChangeContext {
  return { ...context, requestId: `${context.requestId}/${step}` };
}
