import { HeddleError } from "@heddle/base";
import type { Executor } from "@heddle/executor";
import type { Objects } from "@heddle/objects";
import { getFiles } from "./files.ts";
import { decodeGolden } from "./golden.ts";
import type { ModelManifest, Scorer } from "../port.ts";
import { createScoring, score } from "../scoring/scoring.ts";

export interface ScorerOptions {
  readonly objects: Objects;
  /** The manifest's object; its SHA-256 is the version. */
  readonly manifest: { readonly name: string; readonly sha256: string };
  readonly executor: Executor;
}

/**
 * Loads a model version. Every file is checked against its digest before it is used, and the tensors in
 * memory against the manifest's digest after they are loaded.
 *
 * @throws {HeddleError} DATA_LOSS OBJECT_CORRUPT, TENSOR_FILE_CORRUPT, MODEL_INCONSISTENT, MEMORY_DIFFERS; NOT_FOUND
 * NO_SUCH_OBJECT; FAILED_PRECONDITION UNSUPPORTED_MODEL when another release wrote it.
 */
export async function openScorer(options: ScorerOptions): Promise<Scorer> {
  const { objects, executor } = options;
  const manifest = await readManifest(objects, options.manifest);
  const contents = await getFiles(objects, manifest);
  const { negativeSamplingRate } = manifest;
  const scoring = await createScoring({ ...contents, negativeSamplingRate }, executor);
  const digest = await scoring.memoryDigest();
  if (digest !== manifest.memoryDigest) {
    await scoring[Symbol.asyncDispose]();
    throw new HeddleError(
      "DATA_LOSS",
      "MEMORY_DIFFERS",
      `the tensors of ${manifest.model} in memory have digest ${digest}, its manifest says ${manifest.memoryDigest}: do not serve it, recreate it from its recipe`,
    );
  }
  return {
    ...scoring,
    manifest,
    version: options.manifest.sha256,
    definition: contents.definition,
    golden: async () => ({
      outputs: await score(scoring, decodeGolden(contents.golden)),
      recorded: Float32Array.from(contents.golden.outputs),
    }),
  };
}

/**
 * Reads the manifest of a version.
 *
 * @throws {HeddleError} as `openScorer`.
 */
export async function readManifest(
  objects: Objects,
  { name, sha256 }: ScorerOptions["manifest"],
): Promise<ModelManifest> {
  const text = new TextDecoder().decode(await objects.get(name, sha256));
  const manifest = parsed(text) as ModelManifest | undefined;
  if (manifest?.format === "heddle-model/1") return manifest;
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "UNSUPPORTED_MODEL",
    `${name} is no manifest of format heddle-model/1: use the release that wrote it, or write the version anew`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
