import {
  decodeParameters,
  encodeParameters,
  mergeParameters,
  type ParameterState,
} from "@heddle/artifact";
import { canonicalJson, HeddleError } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import { parseStrict } from "@heddle/config";
import type { ObjectInfo, Objects } from "@heddle/objects";
import type { Fit } from "@heddle/transform";
import { z } from "zod";
import type { Progress } from "./loop.ts";
import type { Wire } from "./wire.ts";

const count = z.number().int().nonnegative();
const ObjectInfoSchema = z.strictObject({ name: z.string(), bytes: count, sha256: z.string() });
const FitSchema = z.strictObject({
  standardise: z.record(z.string(), z.strictObject({ mean: z.number(), deviation: z.number() })),
  quantile: z.record(z.string(), z.array(z.number())),
});
const Manifest = z.strictObject({
  format: z.literal("heddle-snapshot/1"),
  run: z.string(),
  /** Version the run started from; empty when from nothing. */
  parentVersion: z.string(),
  progress: z.strictObject({
    step: count,
    cursor: z.strictObject({ partition: count, batch: count }),
    examples: count,
    lossSum: z.number(),
    negatives: count,
    negativeWeight: z.number(),
  }),
  fit: FitSchema,
  /** Parameter files: one for each shard, or one of all of them when the run has ended. */
  files: z.array(ObjectInfoSchema),
});

/** All that a run is at a cut: what an attempt needs to go on, and a child to start from. */
export interface SnapshotManifest {
  readonly format: "heddle-snapshot/1";
  readonly run: string;
  readonly parentVersion: string;
  readonly progress: Progress;
  readonly fit: Fit;
  readonly files: readonly ObjectInfo[];
}

/** What is the same in all snapshots of a run. */
export interface SnapshotSubject {
  readonly run: string;
  readonly parentVersion: string;
  readonly fit: Fit;
}

export interface SnapshotDeps {
  readonly objects: Objects;
  readonly wire: Wire;
  /** Where a run's snapshots lie within its folder, when attempts do not write the same bytes: a folder for each. */
  readonly folder?: string;
  /** Tells the registry; an attempt may resume from the snapshot once it resolves. */
  readonly record: (step: number, manifest: ObjectInfo) => Promise<void>;
}

/**
 * Writes a cut: the shards' files, the manifest that names them, the record of it in the registry, in this order. All names
 * and bytes are functions of the run and the cut, so an attempt that does it again changes nothing.
 */
export async function writeSnapshot(
  { objects, wire, folder, record }: SnapshotDeps,
  subject: SnapshotSubject,
  progress: Progress,
): Promise<void> {
  const prefix = prefixOf(subject.run, progress.step, folder);
  const files = await wire.snapshot(progress.step, prefix);
  const manifest: SnapshotManifest = { format: "heddle-snapshot/1", ...subject, progress, files };
  failpoint("learner.snapshot.before-manifest");
  const info = await objects.put(`${prefix}/manifest-of-${files.length}.json`, encode(manifest));
  failpoint("learner.snapshot.after-manifest");
  await record(progress.step, info);
  failpoint("learner.snapshot.after-record");
}

/**
 * Writes the last cut of a run: one file of all parameters, which does not depend on the number of shards, because the
 * model version names it.
 */
export async function writeFinalSnapshot(
  { objects, wire, folder, record }: SnapshotDeps,
  subject: SnapshotSubject,
  progress: Progress,
): Promise<{ readonly info: ObjectInfo; readonly manifest: SnapshotManifest }> {
  const prefix = prefixOf(subject.run, progress.step, folder);
  const parts = await wire.snapshot(progress.step, prefix);
  const merged = encodeParameters(await readParameters(objects, parts));
  const file = await objects.put(`${prefix}/parameters.tensors`, merged);
  const manifest: SnapshotManifest = {
    format: "heddle-snapshot/1",
    ...subject,
    progress,
    files: [file],
  };
  failpoint("learner.snapshot.before-manifest");
  const info = await objects.put(`${prefix}/manifest.json`, encode(manifest));
  failpoint("learner.snapshot.after-manifest");
  await record(progress.step, info);
  failpoint("learner.snapshot.after-record");
  for (const part of parts) await objects.delete(part.name);
  return { info, manifest };
}

/** @throws {HeddleError} DATA_LOSS OBJECT_CORRUPT, SNAPSHOT_UNREADABLE; NOT_FOUND NO_SUCH_OBJECT. */
export async function readSnapshot(
  objects: Objects,
  name: string,
  sha256: string,
): Promise<SnapshotManifest> {
  const bytes = await objects.get(name, sha256);
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return parseStrict(Manifest, value, `snapshot ${name}`, "SNAPSHOT_UNREADABLE");
  } catch (cause) {
    throw new HeddleError(
      "DATA_LOSS",
      "SNAPSHOT_UNREADABLE",
      `${name} is not a snapshot this release can read: it was written by another one`,
      { cause },
    );
  }
}

/** The parameters of all files of a snapshot as one state. */
export async function readParameters(
  objects: Objects,
  files: readonly ObjectInfo[],
): Promise<ParameterState> {
  const parts: ParameterState[] = [];
  for (const { name, sha256 } of files)
    parts.push(decodeParameters(await objects.get(name, sha256)));
  return mergeParameters(parts);
}

const prefixOf = (run: string, step: number, folder?: string): string =>
  `runs/${run}/snapshots/${step}${folder === undefined ? "" : `/${folder}`}`;

const encode = (manifest: SnapshotManifest): Uint8Array =>
  new TextEncoder().encode(canonicalJson(manifest));
