import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ServiceParts } from "@heddle/backends";
import { startTurnsByKey } from "@heddle/base";
import type { OnlineValues } from "@heddle/online";
import { type Running, serveOver } from "@heddle/rpc";
import { startRelay } from "@heddle/store";
import { Limits } from "./config.ts";
import { openEngine } from "./engine/engine.ts";
import { openPseudonymKey } from "./ingest/pseudonym-key.ts";
import { featureStoreService } from "./service.ts";
import { openFeatureStoreStore } from "./store.ts";
import { startCutting } from "./stream/loop.ts";

export interface FeatureStoreDeps extends ServiceParts {
  readonly online: OnlineValues;
  /** Folder for files under way; emptied at start. */
  readonly stateFolder: string;
  /** File with the key of the pseudonyms; made when it is missing. */
  readonly pseudonymKeyFile: string;
  readonly limits?: Partial<Limits>;
}

/** Starts the feature store over the given backends, which stay their opener's to close. */
export async function startFeatureStore(deps: FeatureStoreDeps): Promise<Running> {
  const { eventLog, objects, online, clock, random, telemetry, address, needs } = deps;
  await using stack = new AsyncDisposableStack();
  const limits = Limits.parse(deps.limits ?? {});
  const pseudonymKey = await openPseudonymKey(deps.pseudonymKeyFile);
  const folder = join(deps.stateFolder, "under-way");
  // What lies there is of a process that died before it acknowledged anything.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const store = openFeatureStoreStore(deps);
  const outboxes = [store.sources, store.views, store.datasets].map(({ outbox }) => outbox);
  const relay = { service: "feature-store", clock, random, log: telemetry.log };
  stack.use(startRelay(outboxes, eventLog, relay));
  const engine = stack.use(
    openEngine({
      threads: limits.engineThreads,
      memoryBytesMax: limits.engineMemoryBytesMax,
      tempFolder: join(folder, "spill"),
      telemetry,
    }),
  );
  const ingesting = {
    store,
    objects,
    engine,
    clock,
    pseudonymKey,
    inTurn: startTurnsByKey(),
    folder,
  };
  const cutting = stack.use(startCutting({ ...ingesting, eventLog, telemetry }));
  const { waitingRecordsMax } = limits;
  const service = featureStoreService({
    ...ingesting,
    ...{ online, eventLog, cutting, waitingRecordsMax },
  });
  return await serveOver(stack, { implementations: [service], telemetry, address, needs });
}
