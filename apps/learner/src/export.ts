import { writeModel } from "@heddle/model";
import type { ObjectInfo } from "@heddle/objects";
import { compileTransform } from "@heddle/transform";
import type { Attempt, End } from "./attempt.ts";
import type { TrainDeps } from "./deps.ts";
import { goldenRows } from "./golden.ts";
import type { Progress } from "./loop.ts";
import { readParameters } from "./snapshot.ts";
import type { Start } from "./start.ts";

/**
 * Writes the version of a run that is at its end. Everything comes from the last snapshot and the dataset, so it does not matter
 * which attempt does it.
 *
 * @returns its manifest.
 */
export async function exportModel(
  { objects, executor }: TrainDeps,
  { definition, configuration, data }: Attempt,
  { subject: { run, parentVersion, fit } }: Start,
  { progress, snapshot, parameters }: End,
  signal: AbortSignal,
): Promise<ObjectInfo> {
  const { features } = compileTransform(definition.inputs, fit);
  const { seed } = definition.training;
  const { tables, dense } = await readParameters(objects, [parameters]);
  // A model has one table, and none when no input is embedded.
  const [rows] = Object.values(tables);
  const model = {
    definition,
    configuration,
    run,
    dataset: data.dataset,
    parentVersion,
    fit,
    snapshot: { object: snapshot.name, sha256: snapshot.sha256, bytes: snapshot.bytes },
    dense: Object.fromEntries(Object.entries(dense).map(([name, { values }]) => [name, values])),
    ids: rows?.ids ?? new BigUint64Array(),
    values: rows?.values ?? new Float32Array(),
    negativeSamplingRate: samplingRate(progress),
    golden: await goldenRows(data.reader, data.partitions, features, seed, signal),
  };
  return writeModel(objects, model, executor);
}

/** 1 where nothing was sampled, or there was nothing to sample. */
function samplingRate({ negatives, negativeWeight }: Progress): number {
  return negatives === 0 ? 1 : negatives / negativeWeight;
}
