import { isHeddleError } from "@heddle/base";
import type { ModelInput } from "@heddle/sdk";
import { compileTransform, type Fit, fitNothing, openFitter } from "@heddle/transform";
import type { ExampleReader, TrainingPartition } from "./reader.ts";

/** What the plan needs to know of the training rows: one pass over them when it fits anything, none otherwise. */
export async function fitOn(
  inputs: readonly ModelInput[],
  reader: ExampleReader,
  partitions: readonly TrainingPartition[],
  signal: AbortSignal,
): Promise<Fit> {
  if (!fitsAnything(inputs)) return fitNothing;
  const fitter = openFitter(inputs);
  for (const partition of partitions) {
    for await (const batch of reader.read(partition, fitter.features)) {
      signal.throwIfAborted();
      fitter.add(batch);
    }
  }
  return fitter.fit();
}

function fitsAnything(inputs: readonly ModelInput[]): boolean {
  try {
    compileTransform(inputs, fitNothing);
    return false;
  } catch (error) {
    if (isHeddleError(error, "MISSING_FIT")) return true;
    throw error;
  }
}
