import { canonicalJson, HeddleError } from "@heddle/base";
import { parseStrict } from "@heddle/config";
import type { ModelManifest } from "@heddle/model";
import type { Objects } from "@heddle/objects";
import { z } from "zod";
import type { ObjectPlace, Run } from "./run.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits");
const object = z.string().min(1);
const bytes = z.int().min(0);

const Manifest = z.strictObject({
  format: z.literal("heddle-model/1"),
  model: z.string(),
  run: digest,
  configuration: digest,
  dataset: z.string(),
  parentVersion: z.string(),
  memoryDigest: digest,
  negativeSamplingRate: z.number().positive().max(1),
  snapshot: z.strictObject({ object, sha256: digest, bytes }),
  files: z.array(z.strictObject({ role: z.string().min(1), object, bytes, sha256: digest })).min(1),
});

/**
 * Reads the manifest of a run's result and checks that it is of this run and that everything it
 * names lies in the object store, with those sizes and digests.
 *
 * @throws {HeddleError} INVALID_ARGUMENT MANIFEST_INVALID, FAILED_PRECONDITION ARTIFACT_MISSING,
 * DATA_LOSS OBJECT_CORRUPT.
 */
export async function checkManifest(place: ObjectPlace, run: Run, objects: Objects): Promise<void> {
  const manifest = await readManifest(place, objects);
  const { configuration, dataset, parentVersion } = run.recipe;
  const promised = { run: run.run, model: run.model, configuration, dataset, parentVersion };
  for (const [key, expected] of Object.entries(promised)) {
    const found = manifest[key as keyof typeof promised];
    if (found !== expected) throw invalid(place, `${key} is "${found}", its run has "${expected}"`);
  }
  const { object: name, sha256, bytes } = manifest.snapshot;
  await checkStored({ name, sha256, bytes }, objects);
  for (const file of manifest.files) {
    await checkStored({ name: file.object, sha256: file.sha256, bytes: file.bytes }, objects);
  }
}

/**
 * Checks that an object is there as it is named; its bytes are not read.
 *
 * @throws {HeddleError} FAILED_PRECONDITION ARTIFACT_MISSING.
 */
export async function checkStored(place: ObjectPlace, objects: Objects): Promise<void> {
  const found = await objects.head(place.name);
  if (found?.sha256 === place.sha256 && found.bytes === place.bytes) return;
  const is = found === undefined ? "is not there" : `has ${found.bytes} bytes, ${found.sha256}`;
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "ARTIFACT_MISSING",
    `object ${place.name} ${is}; expected ${place.bytes} bytes, ${place.sha256}: write every file before what names it`,
    { metadata: { object: place.name } },
  );
}

async function readManifest(place: ObjectPlace, objects: Objects): Promise<ModelManifest> {
  await checkStored(place, objects);
  const text = Buffer.from(await objects.get(place.name, place.sha256)).toString();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(place, "it is not JSON");
  }
  const manifest: ModelManifest = parseStrict(
    Manifest,
    value,
    `manifest ${place.name}`,
    "MANIFEST_INVALID",
  );
  if (canonicalJson(manifest) !== text) throw invalid(place, "it is not canonical JSON");
  return manifest;
}

function invalid(place: ObjectPlace, why: string): HeddleError {
  return new HeddleError("INVALID_ARGUMENT", "MANIFEST_INVALID", `manifest ${place.name}: ${why}`);
}
