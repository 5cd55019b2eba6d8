import type { MessageInitShape } from "@bufbuild/protobuf";
import type { SegmentOriginSchema } from "@heddle/proto/common";
import type { DatasetManifest } from "@heddle/proto/feature-store";
import type { GetOriginResponseSchema, VersionSchema } from "@heddle/proto/registry";
import { writeSnapshot } from "../encode.ts";
import type { RegistrationDeps } from "../models/registration.ts";
import type { Version } from "../models/version.ts";

/** What a version came from: the snapshot that its run ended with, and the segments of its dataset. */
export async function originOf(
  { run: name }: Version,
  version: MessageInitShape<typeof VersionSchema>,
  { registry, features }: Pick<RegistrationDeps, "registry" | "features">,
): Promise<MessageInitShape<typeof GetOriginResponseSchema>> {
  const run = (await registry.runs.get(name))?.state;
  const snapshot = run?.snapshots.at(-1);
  const manifest = run && (await features.dataset(run.recipe.dataset));
  return {
    version,
    ...(snapshot && { snapshot: writeSnapshot(snapshot) }),
    segments: manifest === undefined ? [] : segmentsOf(manifest),
  };
}

/** A manifest that is older than its segments' origins still has their names. */
export function segmentsOf({
  segments,
  inputs,
}: Pick<DatasetManifest, "segments" | "inputs">): MessageInitShape<typeof SegmentOriginSchema>[] {
  if (segments.length > 0) return segments;
  return inputs.flatMap((input) =>
    input.startsWith("segment:") ? [{ rowHash: input.slice("segment:".length) }] : [],
  );
}
