import { HeddleError, shortName, startTurns } from "@heddle/base";
import type { Executor } from "@heddle/executor";
import { openScorer } from "@heddle/model";
import type { ObjectInfo, Objects } from "@heddle/objects";
import { copyVersion, removeCopy } from "./copy.ts";
import { featureUses } from "./feature-types.ts";
import type { LoadedVersion, Versions } from "./versions.ts";

export interface LoadDeps {
  /** Where versions come from. */
  readonly objects: Objects;
  /** The server's own store. */
  readonly copies: Objects;
  readonly executor: () => Promise<Executor>;
  readonly versions: Versions;
}

/** Loads versions, each once at a time, and unloads them. */
export interface Loader {
  /**
   * Copies and loads a version. One that is in memory already, unchanged, stays; one whose memory
   * no longer has its manifest's digest is loaded afresh.
   *
   * @param traceparent of the run that made it, for the spans of its answers; empty when that is not known.
   * @returns the digest of what is in memory.
   * @throws {HeddleError} COPY_CORRUPT, MANIFEST_INVALID, TOO_MANY_VERSIONS, and those of the scorer.
   */
  load(model: string, version: string, manifest: ObjectInfo, traceparent?: string): Promise<string>;
  /** Unloads a version and removes its copy. @throws {HeddleError} NOT_LOADED, STILL_ROUTED. */
  unload(version: string): Promise<void>;
}

export function startLoader(deps: LoadDeps): Loader {
  const { versions, copies } = deps;
  // Two loads at once would need the memory of both.
  const inTurn = startTurns();
  return {
    load: (model, version, manifest, traceparent = "") =>
      inTurn(async () => {
        const known = versions.find(version);
        if (known !== undefined && known.model === model) {
          const digest = await known.scorer.memoryDigest();
          if (digest === known.scorer.manifest.memoryDigest) return digest;
        }
        const opened = { ...(await open(model, version, manifest, deps)), traceparent };
        try {
          versions.add(opened);
        } catch (error) {
          await opened.scorer[Symbol.asyncDispose]();
          throw error;
        }
        // Looked at when it was opened.
        return opened.scorer.manifest.memoryDigest;
      }),
    unload: (version) =>
      inTurn(async () => {
        const { manifest, scorer } = versions.get(version);
        versions.remove(version);
        await removeCopy(manifest, scorer.manifest, copies);
      }),
  };
}

async function open(
  model: string,
  version: string,
  place: ObjectInfo,
  { objects, copies, executor }: LoadDeps,
): Promise<Omit<LoadedVersion, "traceparent">> {
  if (place.sha256 !== version) {
    throw invalid(version, `its manifest has the digest ${place.sha256}`);
  }
  const manifest = await copyVersion(place, objects, copies);
  if (manifest.model !== model) throw invalid(version, `it is of model ${manifest.model}`);
  if (!manifest.files.some(({ role }) => role === "definition")) {
    throw invalid(version, "it names no file of role definition");
  }
  const scorer = await openScorer({ objects: copies, manifest: place, executor: await executor() });
  const { definition } = scorer;
  if (definition.name === model) {
    return { model, version, manifest: place, scorer, uses: featureUses(definition.inputs) };
  }
  await scorer[Symbol.asyncDispose]();
  throw invalid(version, `its definition is of model ${definition.name}`);
}

function invalid(version: string, why: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "MANIFEST_INVALID",
    `version ${shortName(version)} cannot be loaded: ${why}; load what the registry lists`,
    { metadata: { version } },
  );
}
