import { type Clock, HeddleError, shortName, startTurns } from "@heddle/base";
import { ModelServerService } from "@heddle/proto/model-server";
import { implement, type Implementation } from "@heddle/rpc";
import type { Limits } from "./config.ts";
import type { Loader } from "./load.ts";
import { type MemoryDigests, openMemoryDigests } from "./memory-digests.ts";
import { readRows } from "./rows.ts";
import { goldenError, ranked, type Scoring } from "./scoring.ts";
import type { LoadedVersion, Versions } from "./versions.ts";

export interface ServiceDeps {
  readonly versions: Versions;
  readonly loader: Loader;
  readonly scoring: Scoring;
  readonly clock: Clock;
  readonly limits: Limits;
}

const rankLimitDefault = 10;

/** The RPCs of a model server. */
export function modelServerService(deps: ServiceDeps): Implementation {
  const { versions, loader, scoring, limits } = deps;
  const routeInTurn = startTurns();
  const digests = openMemoryDigests(deps.clock);
  const momentOf = (timeMs: bigint): number => (timeMs === 0n ? deps.clock.now() : Number(timeMs));
  return implement(ModelServerService, {
    load: async ({ model, version, manifest, traceparent }) => {
      const { name = "", bytes = 0n, sha256 = "" } = manifest ?? {};
      const place = { name, bytes: Number(bytes), sha256 };
      return { memoryDigest: await loader.load(model, version, place, traceparent) };
    },
    loaded: async ({ version, digestAgeMaxMs }) => {
      const wanted = versions.all().filter((one) => version === "" || one.version === version);
      const found = [];
      for (const loaded of wanted) {
        const memoryDigest = await digests.of(loaded, Number(digestAgeMaxMs));
        found.push({ loaded, memoryDigest });
      }
      return {
        versions: found.map(({ loaded, memoryDigest }) => ({
          ...{ model: loaded.model, version: loaded.version, memoryDigest },
          routed: versions.routed(loaded.model) === loaded,
        })),
      };
    },
    golden: async ({ version }) => {
      const loaded = versions.get(version);
      const golden = await versions.using(loaded, () => loaded.scorer.golden());
      return { outputs: [...golden.outputs], error: goldenError(golden) };
    },
    // The last one asked for is the one that holds, however long it takes to look at its memory.
    route: ({ model, version }) =>
      routeInTurn(async () => {
        if (version !== "") await checkMemory(versions.get(version), digests);
        return { previous: versions.route(model, version) };
      }),
    unload: async ({ version }) => {
      await loader.unload(version);
      return {};
    },
    predict: async ({ model, rowsJson, timeMs }) => {
      const rows = readRows(rowsJson, limits.rowsMax);
      const { scores, version } = await scoring.predict(model, rows, momentOf(timeMs));
      return { predictions: [...scores], version };
    },
    rank: async ({ model, rowsJson, timeMs, limit, fallback }) => {
      const rows = readRows(rowsJson, limits.rowsMax);
      const { scores, version } = await scoring.rank(model, rows, momentOf(timeMs), fallback);
      return { ranked: ranked(scores, limit || rankLimitDefault), version };
    },
  });
}

/** The server's own last look before traffic moves, whoever asks for it. */
async function checkMemory(loaded: LoadedVersion, digests: MemoryDigests): Promise<void> {
  const { version, scorer } = loaded;
  const found = await digests.of(loaded);
  if (found === scorer.manifest.memoryDigest) return;
  throw new HeddleError(
    "DATA_LOSS",
    "DIGEST_MISMATCH",
    `version ${shortName(version)} has the digest ${found} in memory, its manifest promises ${scorer.manifest.memoryDigest}: load it again`,
    { metadata: { version } },
  );
}
