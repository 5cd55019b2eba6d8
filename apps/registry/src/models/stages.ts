import { HeddleError } from "@heddle/base";
import { type ChangeContext, changedTo } from "@heddle/store";
import { liveVersion, wasLive, withLive } from "./family.ts";
import { checkStored } from "./manifest.ts";
import type { RegistrationDeps } from "./registration.ts";
import { findByPrefix, modelEvent } from "../store.ts";
import { checkPassed, type Version } from "./version.ts";

/**
 * Makes a version its model's live one. The family's aggregate decides, so changes of the live
 * version happen one after the other, and a version that served before may serve again.
 *
 * @returns the version that was live before; empty when none was.
 * @throws {HeddleError} NOT_FOUND UNKNOWN_VERSION, FAILED_PRECONDITION VERSION_NOT_PASSED,
 * RECIPE_UNRESOLVED.
 */
export async function setLive(
  name: string,
  reason: string,
  context: ChangeContext,
  deps: RegistrationDeps,
): Promise<string> {
  const { registry, clock, limits } = deps;
  const { id: version, state } = await findByPrefix(registry.versions, "version", name);
  const family = await registry.families.get(state.model);
  if (family === undefined || !wasLive(family.state, version)) {
    checkPassed(state);
    await checkRecipe(state, deps);
  }
  const change = { timeMs: clock.now(), version, reason, actor: context.actor };
  const changed = await registry.families.update(
    state.model,
    (current) => {
      const next = withLive(current, change, limits);
      const decision = changedTo(current, next, modelEvent(state.model, "live", { version }));
      return { ...decision, result: liveVersion(current) };
    },
    context,
  );
  return changed.result;
}

/** Takes a version out of the running; when it is live, none is live after it. */
export async function archive(
  name: string,
  reason: string,
  context: ChangeContext,
  { registry, clock, limits }: RegistrationDeps,
): Promise<string> {
  const { id: version, state } = await findByPrefix(registry.versions, "version", name);
  const change = { timeMs: clock.now(), version: "", reason, actor: context.actor };
  const changed = await registry.families.update(
    state.model,
    (current) => {
      const live = liveVersion(current);
      if (live !== version) return { state: current, events: [], result: live };
      const next = withLive(current, change, limits);
      return { state: next, events: [modelEvent(state.model, "live")], result: live };
    },
    context,
  );
  await registry.versions.update(
    version,
    (current) => ({
      state: { ...current, archived: true },
      events: current.archived ? [] : [modelEvent(state.model, "archived", { version })],
    }),
    context,
  );
  return changed.result;
}

/**
 * What made the version must still be there: else nobody could explain it, or make it again.
 *
 * @throws {HeddleError} FAILED_PRECONDITION RECIPE_UNRESOLVED.
 */
async function checkRecipe(version: Version, deps: RegistrationDeps): Promise<void> {
  const { registry, features, objects } = deps;
  const run = (await registry.runs.get(version.run))?.state;
  if (run === undefined) throw unresolved(version, `its run ${version.run}`);
  const { configuration, dataset, parentVersion } = run.recipe;
  if ((await registry.configurations.get(configuration)) === undefined) {
    throw unresolved(version, `its configuration ${configuration}`);
  }
  if (parentVersion !== "" && (await registry.versions.get(parentVersion)) === undefined) {
    throw unresolved(version, `the version it started from, ${parentVersion}`);
  }
  if ((await features.dataset(dataset)) === undefined) {
    throw unresolved(version, `its dataset ${dataset}`);
  }
  try {
    await checkStored(version.manifest, objects);
  } catch (error) {
    throw unresolved(version, `its manifest ${version.manifest.name}`, error);
  }
}

function unresolved(version: Version, what: string, cause?: unknown): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "RECIPE_UNRESOLVED",
    `version ${version.version.slice(0, 12)} of ${version.model} cannot go live: ${what} is gone; train it again from what is there`,
    { metadata: { version: version.version }, cause },
  );
}
