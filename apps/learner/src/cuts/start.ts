import { denseOptimizer, rowOptimizer } from "@heddle/model";
import { HeddleError, isHeddleError, shortName } from "@heddle/base";
import type { ObjectInfo } from "@heddle/objects";
import type { Run } from "@heddle/proto/registry";
import type { ModelDefinition } from "@heddle/sdk";
import { compileTransform, type Fit } from "@heddle/transform";
import type { TrainingData } from "../data/dataset.ts";
import { checkContinues } from "../data/log-place.ts";
import { type Layer, namesOf } from "./chain.ts";
import type { TrainDeps } from "../deps.ts";
import { renewed, renews } from "./renewal.ts";
import { deleteOlder } from "./retention.ts";
import { endOf } from "./parent.ts";
import { readSnapshot, type SnapshotSubject } from "./snapshot.ts";
import { checkTransfer, transferred } from "./transfer.ts";
import { beginning, type Progress } from "../loop/progress.ts";

/** Where an attempt starts. */
export interface Start {
  readonly subject: SnapshotSubject;
  readonly progress: Progress;
  /** Parameter files to restore, oldest first; none for the initial parameters. */
  readonly layers: readonly Layer[];
  /** The snapshot of this run that it is; absent at the beginning. */
  readonly snapshot?: ObjectInfo;
}

/**
 * The newest snapshot of this run; else the end of the parent's run, from the first row; else what the definition takes over from another
 * model; else nothing.
 *
 * @param leads whether this learner restores the shards: only then it writes what they are to start with.
 */
export async function findStart(
  deps: TrainDeps,
  run: Run,
  definition: ModelDefinition,
  data: TrainingData,
  leads: boolean,
  signal: AbortSignal,
): Promise<Start> {
  const { objects, telemetry } = deps;
  const parentVersion = run.recipe?.parentVersion ?? "";
  const newest = run.snapshots.at(-1)?.manifest;
  if (newest !== undefined) {
    const { fit, progress, layers } = await readSnapshot(objects, newest.name, newest.sha256);
    const facts = { run: run.run, step: progress.step, examples: progress.examples };
    telemetry.log.info(facts, "training resumes from a snapshot");
    const snapshot = { name: newest.name, bytes: Number(newest.bytes), sha256: newest.sha256 };
    await deleteOlder(objects, run.run, progress.step, [snapshot.name, ...namesOf(layers)]);
    return { subject: { run: run.run, parentVersion, fit }, progress, layers, snapshot };
  }
  if (parentVersion !== "") {
    const { fit, layers, parent, progress } = await endOf(deps, parentVersion, signal);
    checkContinues(data.log, progress.log, parentVersion);
    checkFit(definition, fit, parentVersion);
    checkTransfer(definition, parent, parentVersion);
    checkOptimizers(definition, parent, parentVersion);
    telemetry.log.info({ run: run.run, parentVersion }, "training starts from its parent");
    const subject = { run: run.run, parentVersion, fit };
    if (!renews(definition, parent)) return { subject, progress: beginning, layers };
    const own = leads ? await renewed(deps, run.run, definition, { layers, parent }) : [];
    return { subject, progress: beginning, layers: own };
  }
  const fit = await data.examples.fit(definition.inputs, signal);
  const subject = { run: run.run, parentVersion, fit };
  if (definition.training.transfer !== undefined) {
    const layers = leads ? await transferred(deps, run.run, definition, signal) : [];
    return { subject, progress: beginning, layers };
  }
  telemetry.log.info({ run: run.run, examples: data.rows }, "training starts from nothing");
  return { subject, progress: beginning, layers: [] };
}

/**
 * A run that continues a version takes over what was fitted for it, so its inputs must be those of then.
 *
 * @throws {HeddleError} FAILED_PRECONDITION INPUTS_CHANGED.
 */
function checkFit({ name, inputs }: ModelDefinition, fit: Fit, parentVersion: string): void {
  try {
    compileTransform(inputs, fit);
  } catch (error) {
    if (!isHeddleError(error, "MISSING_FIT")) throw error;
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "INPUTS_CHANGED",
      `the inputs of model ${name} changed since version ${shortName(parentVersion)}, which this run continues (${error.message}): set warmStart: false in the pipeline's train step for one run, or take the change back`,
      { cause: error },
    );
  }
}

/**
 * A run that continues a version takes over its optimisers' slots, which mean nothing to another rule. Their numbers may change.
 *
 * @throws {HeddleError} FAILED_PRECONDITION OPTIMIZER_CHANGED.
 */
function checkOptimizers(
  { name, training }: ModelDefinition,
  parent: ModelDefinition,
  parentVersion: string,
): void {
  for (const [what, ruleOf] of [
    ["embedding rows", rowOptimizer],
    ["dense parameters", denseOptimizer],
  ] as const) {
    const [before, now] = [ruleOf(parent.training).kind, ruleOf(training).kind];
    if (before === now) continue;
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "OPTIMIZER_CHANGED",
      `the optimiser of model ${name}'s ${what} is ${now}, that of version ${shortName(parentVersion)}, which this run continues, was ${before}: set warmStart: false in the pipeline's train step for one run, or take the change back`,
    );
  }
}
