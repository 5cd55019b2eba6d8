import { type ParameterState, readState } from "@heddle/artifact";
import { canonicalJson, HeddleError } from "@heddle/base";
import { parseStrict } from "@heddle/config";
import type { ObjectInfo, Objects } from "@heddle/objects";
import type { Fit } from "@heddle/transform";
import { z } from "zod";
import type { Layer } from "./chain.ts";
import type { Progress } from "../loop/progress.ts";

const count = z.number().int().nonnegative();
const ObjectInfoSchema = z.strictObject({ name: z.string(), bytes: count, sha256: z.string() });
const FitSchema = z.strictObject({
  standardise: z.record(z.string(), z.strictObject({ mean: z.number(), deviation: z.number() })),
  quantile: z.record(z.string(), z.array(z.number())),
});
const common = {
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
    judged: z
      .strictObject({
        examples: count,
        lossSum: z.number(),
        loss: z.number(),
        best: z.strictObject({ loss: z.number(), step: count }),
        cutsSince: count,
      })
      .exactOptional(),
    log: z.strictObject({ topic: z.string(), offsets: z.array(count) }).exactOptional(),
  }),
  fit: FitSchema,
};
const files = z.array(ObjectInfoSchema);
/** Parameter files: one of all parameters where the run has ended; releases before wrote one a shard at other cuts, too. */
const Whole = z.strictObject({ format: z.literal("heddle-snapshot/1"), ...common, files });
const Layered = z.strictObject({
  format: z.literal("heddle-snapshot/2"),
  ...common,
  layers: z.array(z.strictObject({ step: count, rows: count, files })),
});
const Manifest = z.discriminatedUnion("format", [Whole, Layered]);

/** All that a run is at a cut: what an attempt needs to go on, and a child to start from. */
export interface SnapshotManifest extends SnapshotSubject {
  readonly progress: Progress;
  /** Parameter files, oldest first. */
  readonly layers: readonly Layer[];
}

/** What is the same in all snapshots of a run. */
export interface SnapshotSubject {
  readonly run: string;
  readonly parentVersion: string;
  readonly fit: Fit;
}

/** The manifest of a cut in layers. */
export function encodeLayered(manifest: SnapshotManifest): Uint8Array {
  return encode({ format: "heddle-snapshot/2", ...manifest });
}

/** The manifest of a run's end, which has one file, in the form that versions have named from the first release on. */
export function encodeWhole(
  subject: SnapshotSubject,
  progress: Progress,
  file: ObjectInfo,
): Uint8Array {
  return encode({ format: "heddle-snapshot/1", ...subject, progress, files: [file] });
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
    const manifest = parseStrict(Manifest, value, `snapshot ${name}`, "SNAPSHOT_UNREADABLE");
    const { run, parentVersion, progress, fit } = manifest;
    // How many rows are in the files of the form before is not known: the next cut is a whole one.
    const layers =
      manifest.format === "heddle-snapshot/2"
        ? manifest.layers
        : [{ step: progress.step, rows: 0, files: manifest.files }];
    return { run, parentVersion, progress, fit, layers };
  } catch (cause) {
    throw new HeddleError(
      "DATA_LOSS",
      "SNAPSHOT_UNREADABLE",
      `${name} is not a snapshot this release can read: it was written by another one`,
      { cause },
    );
  }
}

/** The parameters of all files of one cut as one state. */
export function readParameters(
  objects: Objects,
  parts: readonly ObjectInfo[],
): Promise<ParameterState> {
  return readState(
    parts.map(({ name, sha256 }) => ({ name, chunks: objects.stream(name, sha256) })),
  );
}

const encode = (manifest: object): Uint8Array => new TextEncoder().encode(canonicalJson(manifest));
