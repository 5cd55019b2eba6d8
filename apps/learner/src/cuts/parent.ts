import { present, shortName } from "@heddle/base";
import { getDefinition, readManifest } from "@heddle/model";
import type { ModelDefinition } from "@heddle/sdk";
import { callMs, type TrainDeps } from "../deps.ts";
import { readSnapshot, type SnapshotManifest } from "./snapshot.ts";

/** The last snapshot of the run that made a version, and that run's definition. */
export async function endOf(
  { registry, objects }: TrainDeps,
  version: string,
  signal: AbortSignal,
): Promise<SnapshotManifest & { readonly parent: ModelDefinition }> {
  const answer = await registry.getVersion({ version }, { timeoutMs: callMs, signal });
  const place = present(answer.version?.manifest, `the manifest of version ${shortName(version)}`);
  const manifest = await readManifest(objects, place);
  const { object, sha256 } = manifest.snapshot;
  const parent = await getDefinition(objects, manifest);
  return { ...(await readSnapshot(objects, object, sha256)), parent };
}
