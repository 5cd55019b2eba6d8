import type { ObjectInfo } from "@heddle/objects";
import { compileTransform } from "@heddle/transform";
import type { Attempt } from "./attempt.ts";
import type { End } from "./gang/lead.ts";
import type { TrainDeps } from "./deps.ts";
import type { Start } from "./cuts/start.ts";
import type { Progress } from "./loop/progress.ts";

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

/** 1 where nothing was sampled, or there was nothing to sample. */
function samplingRate({ negatives, negativeWeight }: Progress): number {
  return negatives === 0 ? 1 : negatives / negativeWeight;
}
