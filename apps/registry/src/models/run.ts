import { contentName, HeddleError, type Json, messageOf } from "@heddle/base";

/** All that determines the bytes of a model. */
export interface Recipe {
  readonly configuration: string;
  readonly dataset: string;
  /** Empty: it starts from nothing. */
  readonly parentVersion: string;
  readonly environmentJson: string;
}

/** An object in the store, as documents keep it. */
export interface ObjectPlace {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Snapshot {
  readonly step: number;
  readonly manifest: ObjectPlace;
}

/** A training: its recipe and what came of it. */
export interface Run {
  readonly run: string;
  readonly model: string;
  readonly recipe: Recipe;
  /** Newest last; bounded. */
  readonly snapshots: readonly Snapshot[];
  /** The version it ended with; empty while it goes on. */
  readonly version: string;
  readonly createdTimeMs: number;
}

/**
 * The recipe with its environment in canonical form and the name its content gives it, so that
 * white space and the order of keys make no second run.
 *
 * @throws {HeddleError} INVALID_ARGUMENT RECIPE_INVALID when the environment is not JSON.
 */
export function nameRecipe(recipe: Recipe): string {
  const { environmentJson, ...rest } = recipe;
  try {
    return contentName({ ...rest, environment: JSON.parse(environmentJson) as Json });
  } catch (error) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "RECIPE_INVALID",
      `environment_json of the recipe is not JSON (${messageOf(error)}): send an object, {} when nothing is known`,
    );
  }
}

/**
 * The run with one more snapshot. The newest again, as a repeated call brings it, changes nothing.
 *
 * @throws {HeddleError} FAILED_PRECONDITION SNAPSHOT_OLDER when its step is not above the newest.
 */
export function withSnapshot(run: Run, snapshot: Snapshot, snapshotsMax: number): Run {
  const newest = run.snapshots.at(-1);
  if (newest === undefined || snapshot.step > newest.step) {
    return { ...run, snapshots: [...run.snapshots, snapshot].slice(-snapshotsMax) };
  }
  if (snapshot.step === newest.step && snapshot.manifest.sha256 === newest.manifest.sha256) {
    return run;
  }
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "SNAPSHOT_OLDER",
    `run ${run.run} has a snapshot of step ${newest.step}; one of step ${snapshot.step} cannot follow it: resume from the newest`,
    { metadata: { run: run.run, newestStep: String(newest.step) } },
  );
}

/**
 * The run ended with this version. A recipe determines the bytes, so there is only one.
 *
 * @throws {HeddleError} FAILED_PRECONDITION RUN_ENDED_OTHERWISE.
 */
export function endedWith(run: Run, version: string): Run {
  if (run.version === version) return run;
  if (run.version === "") return { ...run, version };
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "RUN_ENDED_OTHERWISE",
    `run ${run.run} ended with version ${run.version}; the same recipe gave ${version} now: its environment does not determine the bytes`,
    { metadata: { run: run.run, version: run.version } },
  );
}
