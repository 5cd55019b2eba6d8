import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@heddle/base";
import type { EventLog } from "@heddle/eventlog";
import type { Objects } from "@heddle/objects";
import type { OnlineValues } from "@heddle/online";
import { type Need, serve } from "@heddle/rpc";
import { type DocumentStore, relayOutbox } from "@heddle/store";
import type { Telemetry } from "@heddle/telemetry";
import { Limits } from "./config.ts";
import { openEngine } from "./engine.ts";
import { openPseudonymKey } from "./pseudonym-key.ts";
import { featureStoreService } from "./service.ts";
import { openFeatureStoreStore } from "./store.ts";
import { startCutting } from "./stream/loop.ts";
import { startTurns } from "./turns.ts";

export interface FeatureStoreDeps {
  readonly store: DocumentStore;
  readonly eventLog: EventLog;
  readonly objects: Objects;
  readonly online: OnlineValues;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly telemetry: Telemetry;
  /** Folder for files under way; emptied at start. */
  readonly stateFolder: string;
  /** File with the key of the pseudonyms; made when it is missing. */
  readonly pseudonymKeyFile: string;
  /** `host:port` to listen on; any free port of 127.0.0.1 when absent. */
  readonly address?: string;
  /** What is elsewhere and must be well for the service to be. */
  readonly needs?: readonly Need[];
  readonly limits?: Partial<Limits>;
}

/** A service that runs until it is disposed. */
export interface Running {
  /** `host:port` it listens on. */
  readonly address: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts the feature store over the given backends, which stay their opener's to close. */
export async function startFeatureStore(deps: FeatureStoreDeps): Promise<Running> {
  const { eventLog, objects, online, clock, random, telemetry, stateFolder } = deps;
  const limits = Limits.parse(deps.limits ?? {});
  const pseudonymKey = await openPseudonymKey(deps.pseudonymKeyFile);
  const folder = join(stateFolder, "under-way");
  // What lies there is of a process that died before it acknowledged anything.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const store = openFeatureStoreStore(deps.store, { clock, random });
  const engine = openEngine({
    threads: limits.engineThreads,
    memoryBytesMax: limits.engineMemoryBytesMax,
    tempFolder: join(folder, "spill"),
    telemetry,
  });
  const ingesting = { store, objects, engine, clock, pseudonymKey, inTurn: startTurns(), folder };
  const cutting = startCutting({ ...ingesting, eventLog, telemetry });
  const { waitingRecordsMax } = limits;
  const service = featureStoreService({
    ...ingesting,
    ...{ online, eventLog, cutting, waitingRecordsMax },
  });
  const server = await serve({
    implementations: [service],
    telemetry,
    ...(deps.address === undefined ? {} : { address: deps.address }),
    ...(deps.needs === undefined ? {} : { needs: deps.needs }),
  });
  const stop = new AbortController();
  const outboxes = [store.sources, store.views, store.datasets].map(({ outbox }) => outbox);
  const relay = { service: "feature-store", clock, random, log: telemetry.log };
  const relayed = relayOutbox(outboxes, eventLog, relay, stop.signal);
  return {
    address: server.address,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await cutting[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
      stop.abort();
      await relayed;
    },
  };
}
