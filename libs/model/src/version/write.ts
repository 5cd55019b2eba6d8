import { HeddleError, sha256 } from "@heddle/base";
import type { Executor } from "@heddle/executor";
import type { ObjectInfo, Objects } from "@heddle/objects";
import type { ColumnBatch } from "@heddle/transform";
import { widthsOf } from "../network/architecture.ts";
import { memoryDigest } from "../digest.ts";
import { jsonBytes, putFiles } from "./files.ts";
import { encodeGolden, firstRows } from "./golden.ts";
import { shapesOf } from "../parameters/parameters.ts";
import type { ModelManifest } from "../port.ts";
import { createScoring, type ModelParts, score } from "../scoring/scoring.ts";

/** A trained model and what made it. */
export interface TrainedModel
  extends
    ModelParts,
    Pick<ModelManifest, "run" | "configuration" | "dataset" | "parentVersion" | "snapshot"> {
  /** Rows whose first 16 become the golden inputs, with every feature the model reads. */
  readonly golden: ColumnBatch;
}

/**
 * Writes a model version: its files first, each named by its content, then the manifest that names them.
 * The same model written with the same executor is the same version, and nothing is stored twice.
 *
 * @returns the manifest's object; its `sha256` is the version.
 * @throws {HeddleError} INVALID_ARGUMENT WRONG_SIZE when a tensor is absent or not of its definition's size, NO_GOLDEN_ROWS, and
 * what scoring the golden inputs refuses.
 */
export async function writeModel(
  objects: Objects,
  model: TrainedModel,
  executor: Executor,
): Promise<ObjectInfo> {
  checkTensors(model);
  const { definition, fit, dense, ids, values, negativeSamplingRate } = model;
  await using scoring = await createScoring(model, executor);
  const rows = firstRows(model.golden, scoring.features);
  const golden = encodeGolden(rows, await score(scoring, rows));
  const files = await putFiles(objects, { definition, fit, dense, ids, values, golden });
  const { run, configuration, dataset, parentVersion, snapshot } = model;
  const manifest: ModelManifest = {
    format: "heddle-model/1",
    model: definition.name,
    run,
    configuration,
    dataset,
    parentVersion,
    memoryDigest: await memoryDigest(model),
    negativeSamplingRate,
    snapshot,
    files,
  };
  const bytes = jsonBytes(manifest);
  return await objects.put(`models/manifest/${sha256(bytes)}`, bytes);
}

function checkTensors({ definition, dense, ids, values, golden }: TrainedModel): void {
  for (const [name, shape] of shapesOf(definition)) {
    const expected = shape.reduce((size, side) => size * side, 1);
    checkSize(`dense parameter ${name}`, dense[name]?.length ?? 0, expected);
  }
  const width = 1 + widthsOf(definition).dimension;
  checkSize("the embedding rows", values.length, ids.length * width);
  if (golden.rows > 0) return;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "NO_GOLDEN_ROWS",
    "a version needs at least one golden input: give some rows of its dataset",
  );
}

function checkSize(what: string, actual: number, expected: number): void {
  if (actual === expected) return;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "WRONG_SIZE",
    `${what} has ${actual} values, the definition says ${expected}: write the parameters of the run that used this definition`,
  );
}
