import { type Clock, HeddleError, isHeddleError, shortName } from "@heddle/base";
import { readManifest } from "@heddle/model";
import type { Objects } from "@heddle/objects";
import type { LoadedVersion, ModelServerService } from "@heddle/proto/model-server";
import type { Peer } from "@heddle/rpc";
import type { Limits } from "./config.ts";
import type { ObjectPlace, Proof } from "./fleet.ts";

/** A version as a target is told of it. */
interface VersionPlace {
  readonly model: string;
  readonly version: string;
  readonly manifest: ObjectPlace;
  /** W3C trace context of the run that made it. */
  readonly traceparent?: string;
}

/** What sync does with a model server. Every method may fail with UNAVAILABLE TARGET_UNAVAILABLE. */
export interface Target {
  /**
   * Checks that all of a version is there to be copied.
   *
   * @returns the digest that its manifest promises for the target's memory.
   * @throws {HeddleError} DATA_LOSS COPY_CORRUPT.
   */
  copyable(version: VersionPlace): Promise<string>;
  /** Copies and loads beside what serves. @throws {HeddleError} COPY_CORRUPT, DIGEST_MISMATCH. */
  load(version: VersionPlace): Promise<void>;
  /**
   * Asks for the digest of the memory and for the golden outputs, both computed now.
   *
   * @throws {HeddleError} DATA_LOSS DIGEST_MISMATCH, GOLDEN_MISMATCH; also when there is no answer to compare.
   */
  prove(version: VersionPlace, expectedDigest: string): Promise<Proof>;
  route(model: string, version: string): Promise<void>;
  /** @param digestAgeMaxMs of the digests of what is in memory; of any age when absent. */
  loaded(digestAgeMaxMs?: number): Promise<readonly LoadedVersion[]>;
  unload(version: string): Promise<void>;
}

export interface TargetDeps {
  readonly modelServer: Peer<typeof ModelServerService>;
  readonly objects: Objects;
  readonly clock: Clock;
  readonly limits: Limits;
}

export function openTarget({ modelServer, objects, clock, limits }: TargetDeps): Target {
  const soon = { timeoutMs: limits.callTimeoutMs };
  const long = { timeoutMs: limits.loadTimeoutMs };
  const look = async (version: string, ageMs: number): Promise<readonly LoadedVersion[]> => {
    const request = { version, digestAgeMaxMs: BigInt(ageMs) };
    return (await reached(() => modelServer.client().loaded(request, long))).versions;
  };

  return {
    copyable: async ({ manifest: place }) => {
      try {
        const manifest = await readManifest(objects, place);
        for (const { object, bytes, sha256 } of manifest.files) {
          const found = await objects.head(object);
          if (found?.sha256 !== sha256 || found.bytes !== bytes) throw corrupt(object);
        }
        return manifest.memoryDigest;
      } catch (error) {
        throw lost(error) ? corrupt(place.name, error) : error;
      }
    },
    load: async ({ model, version, manifest, traceparent = "" }) => {
      const place = { ...manifest, bytes: BigInt(manifest.bytes) };
      const request = { model, version, manifest: place, traceparent };
      try {
        await reached(() => modelServer.client().load(request, long));
      } catch (error) {
        if (isHeddleError(error, "MEMORY_DIFFERS")) throw digestMismatch(version, error.message);
        throw lost(error) && !isHeddleError(error, "COPY_CORRUPT")
          ? corrupt(manifest.name, error)
          : error;
      }
    },
    prove: async ({ version }, expectedDigest) => {
      const [held] = await look(version, 0);
      const reportedDigest = held?.memoryDigest ?? "";
      if (reportedDigest !== expectedDigest) {
        const holds = held === undefined ? "it is not loaded" : `its memory has ${reportedDigest}`;
        throw digestMismatch(version, `${holds}, the manifest promises ${expectedDigest}`);
      }
      const golden = await reached(() => modelServer.client().golden({ version }, soon));
      // Written so that NaN does not pass.
      if (golden.outputs.length > 0 && golden.error <= limits.goldenErrorMax) {
        const verifiedTimeMs = clock.now();
        return { expectedDigest, reportedDigest, goldenError: golden.error, verifiedTimeMs };
      }
      throw goldenMismatch(version, golden.outputs.length, golden.error, limits.goldenErrorMax);
    },
    route: async (model, version) => {
      await reached(() => modelServer.client().route({ model, version }, long));
    },
    loaded: (digestAgeMaxMs = Number.MAX_SAFE_INTEGER) => look("", digestAgeMaxMs),
    unload: async (version) => {
      await reached(() => modelServer.client().unload({ version }, soon));
    },
  };
}

/** Whether a call may have failed for a reason that passes, so that the same call is worth repeating. */
export function isPassing(error: unknown): boolean {
  return (
    isHeddleError(error) &&
    ["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "ABORTED"].includes(error.code)
  );
}

async function reached<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!isPassing(error)) throw error;
    throw new HeddleError(
      "UNAVAILABLE",
      "TARGET_UNAVAILABLE",
      "the model server does not answer: see whether it runs; sync goes on by itself when it does",
      { cause: error },
    );
  }
}

const lost = (error: unknown): boolean =>
  isHeddleError(error) && (error.code === "DATA_LOSS" || error.reason === "NO_SUCH_OBJECT");

function corrupt(object: string, cause?: unknown): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "COPY_CORRUPT",
    `object ${object} is missing or not as its version names it: restore it, or publish another version`,
    { metadata: { object }, cause },
  );
}

function digestMismatch(version: string, why: string): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "DIGEST_MISMATCH",
    `the model server does not hold version ${shortName(version)} as it was trained: ${why}`,
    { metadata: { version } },
  );
}

function goldenMismatch(version: string, outputs: number, error: number, max: number): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "GOLDEN_MISMATCH",
    `version ${shortName(version)} gives other outputs than when it was trained: ${outputs} golden outputs differ by up to ${error}, ${max} is allowed; see which executor the model server runs`,
    { metadata: { version, error: String(error) } },
  );
}
