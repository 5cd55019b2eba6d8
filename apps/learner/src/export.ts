import type { Executor } from "@heddle/executor";
import { embeddingTables, servedRows, writeModel, type TrainedModel } from "@heddle/model";
import type { ObjectInfo, Objects } from "@heddle/objects";
import { compileTransform } from "@heddle/transform";
import type { Attempt, End } from "./attempt.ts";
import type { TrainDeps } from "./deps.ts";
import type { Progress } from "./loop/loop.ts";
import { readParameters } from "./cuts/snapshot.ts";
import type { Start } from "./cuts/start.ts";

/** All that a version is made of, but for its tensors: their file is named. */
export interface VersionOrder extends Omit<TrainedModel, "dense" | "ids" | "values"> {
  /** The file of the last snapshot. */
  readonly parameters: ObjectInfo;
}

/**
 * Writes the version of a run that is at its end. Everything comes from the last snapshot and the dataset, so it does not matter
 * which attempt does it.
 *
 * @returns its manifest.
 */
export async function exportModel(
  { compute }: TrainDeps,
  { definition, configuration, data }: Attempt,
  { subject: { run, parentVersion, fit } }: Start,
  { progress, snapshot, parameters }: End,
  signal: AbortSignal,
): Promise<ObjectInfo> {
  const { features } = compileTransform(definition.inputs, fit);
  const { seed } = definition.training;
  return compute.write({
    definition,
    configuration,
    run,
    dataset: data.dataset,
    parentVersion,
    fit,
    snapshot: { object: snapshot.name, sha256: snapshot.sha256, bytes: snapshot.bytes },
    parameters,
    negativeSamplingRate: samplingRate(progress),
    golden: await data.examples.golden(features, seed, signal),
  });
}

/** Reads a version's tensors and writes it, on the thread that has the executor. */
export async function writeVersion(
  { objects, executor }: { readonly objects: Objects; readonly executor: Executor },
  { parameters, ...order }: VersionOrder,
): Promise<ObjectInfo> {
  const { tables, dense } = await readParameters(objects, [parameters]);
  // None where no input is embedded. What a table counts is not the model's.
  const rows = embeddingTables(order.definition).flatMap(({ name }) => tables[name] ?? []);
  const model = {
    ...order,
    dense: Object.fromEntries(Object.entries(dense).map(([name, { values }]) => [name, values])),
    ...servedRows(rows, 1 + order.definition.architecture.dimension),
  };
  return writeModel(objects, model, executor);
}

/** 1 where nothing was sampled, or there was nothing to sample. */
function samplingRate({ negatives, negativeWeight }: Progress): number {
  return negatives === 0 ? 1 : negatives / negativeWeight;
}
