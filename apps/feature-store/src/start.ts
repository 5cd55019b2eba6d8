import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ServiceParts } from "@heddle/backends";
import { HeddleError, isHeddleError, startTurnsByKey } from "@heddle/base";
import { lockFolder } from "@heddle/base/lock-folder";
import type { OnlineValues } from "@heddle/online";
import { type Running, serveOver } from "@heddle/rpc";
import { startRelay } from "@heddle/store";
import { Limits } from "./config.ts";
import { openEngine } from "./engine/engine.ts";
import { openPseudonymKey, type PseudonymKey } from "./ingest/pseudonym-key.ts";
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

/**
 * Starts the feature store over the given backends, which stay their opener's to close.
 *
 * @throws {HeddleError} FAILED_PRECONDITION STATE_FOLDER_IN_USE, PSEUDONYM_KEY_EMPTY; PSEUDONYM_KEY_DIFFERS, where the store can be asked.
 */
export async function startFeatureStore(deps: FeatureStoreDeps): Promise<Running> {
  const { eventLog, objects, online, clock, random, telemetry, address, needs = [] } = deps;
  await using stack = new AsyncDisposableStack();
  const limits = Limits.parse(deps.limits ?? {});
  stack.use(lockFolder(deps.stateFolder, "feature-store", folderInUse(deps.stateFolder)));
  const pseudonymKey = await openPseudonymKey(deps.pseudonymKeyFile, deps.store);
  await checkKey(pseudonymKey);
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
  telemetry.gauge(
    "heddle.online.lag",
    "ms",
    "what others put longer ago than this is read here",
    online.lagMs,
  );
  const cutting = stack.use(startCutting({ ...ingesting, eventLog, telemetry }));
  const { waitingRecordsMax } = limits;
  const service = featureStoreService({
    ...ingesting,
    ...{ online, eventLog, cutting, waitingRecordsMax },
  });
  const needed = [...needs, { name: "pseudonym key", check: () => checkKey(pseudonymKey) }];
  return await serveOver(stack, {
    implementations: [service],
    ...{ telemetry, address, needs: needed },
  });
}

const folderInUse = (folder: string) => (pid: string, cause: unknown) =>
  new HeddleError(
    "FAILED_PRECONDITION",
    "STATE_FOLDER_IN_USE",
    `another feature store (pid ${pid}) keeps files under way in ${folder}, and each has to have a folder of its own: name another one in its setting state`,
    { metadata: { folder, pid }, cause },
  );

/** That the store is away is told by its own need. */
async function checkKey(key: PseudonymKey): Promise<void> {
  try {
    await key.hex();
  } catch (error) {
    if (isHeddleError(error, "PSEUDONYM_KEY_DIFFERS")) throw error;
  }
}
