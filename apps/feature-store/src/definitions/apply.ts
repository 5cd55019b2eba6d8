import { type Clock, contentName, HeddleError } from "@heddle/base";
import { eventTopics } from "@heddle/eventlog";
import type { FeatureViewDefinition, SourceDefinition } from "@heddle/sdk";
import { type ChangeContext, createOnce, type Decision, listAll } from "@heddle/store";
import { parseDefinition } from "./definition.ts";
import { checkFeature } from "./features.ts";
import { applied } from "./source.ts";
import type { FeatureStoreStore, FeatureView } from "../store.ts";
import type { Cutting } from "../stream/loop.ts";

interface Applied {
  readonly digest: string;
  readonly created: boolean;
}

interface ApplyDeps {
  readonly store: FeatureStoreStore;
  readonly clock: Clock;
  readonly cutting: Pick<Cutting, "wake">;
}

/**
 * Registers a source or a version of a feature view.
 *
 * @throws {HeddleError} FAILED_PRECONDITION DEFINITION_CHANGED, INVALID_ARGUMENT DEFINITION_INVALID,
 * UNKNOWN_SOURCE, UNKNOWN_COLUMN.
 */
export async function applyDefinition(
  json: string,
  context: ChangeContext,
  { store, clock, cutting }: ApplyDeps,
): Promise<Applied> {
  const definition = parseDefinition(json);
  const digest = contentName(definition);
  if (definition.kind !== "source") return applyView(definition, digest, context, store, clock);
  const outcome = await applySource(definition, digest, context, store, clock);
  // Its events may come from producers that never call us.
  if (definition.stream !== undefined) cutting.wake(definition.name);
  return outcome;
}

async function applySource(
  definition: SourceDefinition,
  digest: string,
  context: ChangeContext,
  { sources }: FeatureStoreStore,
  clock: Clock,
): Promise<Applied> {
  const { name } = definition;
  const decision = applied(definition, digest, context.actor, clock.now());
  const found = await createOnce(sources, name, decision, context);
  return outcomeOf(found, digest, `source ${name}`, "register the changed one under a new name");
}

async function applyView(
  definition: FeatureViewDefinition,
  digest: string,
  context: ChangeContext,
  store: FeatureStoreStore,
  clock: Clock,
): Promise<Applied> {
  const { name, version, author } = definition;
  const id = `${name}@${version}`;
  const decide = async (): Promise<Decision<FeatureView, undefined>> => {
    await checkFeatures(definition, id, store);
    return {
      state: { definition, digest, author, appliedTimeMs: clock.now() },
      events: [
        {
          topic: eventTopics.features.name,
          type: "heddle.feature_store.v1.FeatureViewEvent",
          data: { view: id, digest, author },
        },
      ],
    };
  };
  const found = await createOnce(store.views, id, decide, context);
  const remedy = `a change is a new version: set version ${version + 1}`;
  return outcomeOf(found, digest, `feature view ${id}`, remedy);
}

async function checkFeatures(
  { features }: FeatureViewDefinition,
  view: string,
  store: FeatureStoreStore,
): Promise<void> {
  const known = await listAll(store.sources);
  const sources = new Map(known.map(({ id, state }) => [id, state.definition]));
  for (const [feature, plan] of Object.entries(features)) {
    checkFeature(sources, `feature ${feature} of ${view}`, plan);
  }
}

/** @throws {HeddleError} FAILED_PRECONDITION DEFINITION_CHANGED. */
function outcomeOf(
  { state, created }: { readonly state: { readonly digest: string }; readonly created: boolean },
  digest: string,
  what: string,
  remedy: string,
): Applied {
  if (state.digest === digest) return { digest, created };
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "DEFINITION_CHANGED",
    `${what} is registered already with another definition, and an applied one never changes; ${remedy}`,
  );
}
