import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, HeddleError, messageOf } from "@heddle/base";
import { lockFolder } from "@heddle/base/lock-folder";
import { Secret } from "@heddle/config";
import { type EventLog, openLocalLog, traceLog } from "@heddle/eventlog";
import {
  checkObjects,
  isObjectsUrl,
  type Objects,
  openObjects,
  traceObjects,
} from "@heddle/objects";
import {
  type OnlineReplica,
  type OnlineValues,
  openLmdbOnline,
  openOnlineReplica,
} from "@heddle/online";
import type { Need } from "@heddle/rpc";
import {
  type DocumentStore,
  type LmdbEnvironment,
  openLmdbEnvironment,
  openLmdbStore,
  openMongo,
  openMongoStore,
  traceStore,
} from "@heddle/store";
import type { Telemetry } from "@heddle/telemetry";
import type { Places } from "./settings.ts";

/** The ports as one service of a process has them. */
export interface Ports {
  /** Its own documents. */
  readonly store: DocumentStore;
  readonly eventLog: EventLog;
  readonly objects: Objects;
  /** What is elsewhere and must be well for the service to be. */
  readonly needs: readonly Need[];
}

/** The ports of one process, with what stands behind them. */
export interface Backends extends Omit<Ports, "store">, AsyncDisposable {
  /** The ports with spans of what one service does there. */
  portsOf(service: string, telemetry: Telemetry): Ports;
  /** A service's ports with online values: a replica of this process, fed from the log, where that is on servers. */
  withOnline<P extends Pick<Partial<Ports>, "needs">>(ports: P): P & WithOnline;
}

/** Online values, and what must be well for them beside what had to be. */
interface WithOnline extends Pick<Partial<Ports>, "needs"> {
  readonly online: OnlineValues;
}

export interface BackendsDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1): spreads what is tried again. */
  readonly random: () => number;
}

/**
 * Opens what the settings name. A server that is absent refuses nothing here: the calls that need it name it, and find it without a
 * restart.
 *
 * @throws {HeddleError} INVALID_ARGUMENT STORE_URL_INVALID, LOG_URL_INVALID, LOG_PASSWORD_UNREADABLE, OBJECTS_URL_INVALID,
 *   CONFIG_UNREADABLE; FAILED_PRECONDITION STATE_FOLDER_IN_USE.
 */
export async function openBackends(places: Places, deps: BackendsDeps): Promise<Backends> {
  const stack = new AsyncDisposableStack();
  let opened: LmdbEnvironment | undefined;
  /** One for all that lies in it, opened when the first of them is. */
  const environment = (): LmdbEnvironment => (opened ??= openEnvironment(places, stack));
  try {
    const { storeOf, needs: storeNeeds } = await openStores(places, deps, environment, stack);
    const { eventLog, needs: logNeeds } = await openLog(places, deps, environment, stack);
    const objects = await openObjects(places.objects);
    const check = (): Promise<void> => checkObjects(objects);
    const needs = [
      ...storeNeeds,
      ...logNeeds,
      ...(isObjectsUrl(places.objects) ? [{ name: "object store", check }] : []),
    ];
    const withOnline: Backends["withOnline"] = (ported) => {
      if (places.logUrl === undefined) {
        return { ...ported, online: stack.use(openLmdbOnline(environment())) };
      }
      const online = openReplica(places, eventLog, deps, stack);
      const needed = [...(ported.needs ?? []), { name: "online values", check: online.check }];
      return { ...ported, online, needs: needed };
    };
    const ports = { eventLog, objects, needs };
    return {
      ...{ ...ports, withOnline },
      portsOf: (service, telemetry) =>
        traced({ ...ports, store: storeOf(service) }, places, telemetry),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function traced(
  { store, eventLog, objects, needs }: Ports,
  places: Places,
  telemetry: Telemetry,
): Ports {
  return {
    store: traceStore(store, telemetry, hasStoreUrl(places) ? "mongodb" : "lmdb"),
    eventLog: traceLog(eventLog, telemetry, places.logUrl === undefined ? "heddle-log" : "kafka"),
    objects: traceObjects(objects, telemetry, isObjectsUrl(places.objects) ? "s3" : "folder"),
    needs,
  };
}

export const hasStoreUrl = ({
  storeUrl,
  storeUrlFile,
}: Pick<Places, "storeUrl" | "storeUrlFile">): boolean =>
  storeUrl !== undefined || storeUrlFile !== undefined;

/** LMDB would let two processes in, and neither hears of what the other appends, leases and relays. */
function openEnvironment(
  { state, mapBytesMax }: Places,
  stack: AsyncDisposableStack,
): LmdbEnvironment {
  const path = join(state, "store");
  stack.use(lockFolder(path, "opener", folderInUse(state)));
  return stack.use(openLmdbEnvironment({ path, mapBytesMax }));
}

const folderInUse = (folder: string) => (pid: string, cause: unknown) =>
  new HeddleError(
    "FAILED_PRECONDITION",
    "STATE_FOLDER_IN_USE",
    `another process (pid ${pid}) keeps its documents or events in ${folder}: stop it, or name another folder for this one; services that share documents and events have them on servers`,
    { metadata: { folder, pid }, cause },
  );

/** The documents of each service. */
interface Stores extends Pick<Ports, "needs"> {
  readonly storeOf: (service: string) => DocumentStore;
}

async function openStores(
  places: Places,
  deps: BackendsDeps,
  environment: () => LmdbEnvironment,
  stack: AsyncDisposableStack,
): Promise<Stores> {
  const url = storeUrlOf(places);
  if (url === undefined) {
    return { storeOf: (service) => openLmdbStore(environment(), service), needs: [] };
  }
  const connection = stack.use(
    await openMongo({ url: () => (storeUrlOf(places) ?? url).reveal(), ...deps }),
  );
  return {
    storeOf: (service) => openMongoStore(connection, service),
    needs: [{ name: "document store", check: connection.check }],
  };
}

function storeUrlOf({ storeUrl, storeUrlFile: file }: Places): Secret | undefined {
  if (storeUrl !== undefined || file === undefined) return storeUrl;
  try {
    return new Secret(readFileSync(file, "utf8").split("\n")[0]?.trim() ?? "");
  } catch (error) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "CONFIG_UNREADABLE",
      `the file with the URL of the document store cannot be read: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function openLog(
  { logUrl: url, logUser, logPasswordFile }: Places,
  deps: BackendsDeps,
  environment: () => LmdbEnvironment,
  stack: AsyncDisposableStack,
): Promise<Pick<Backends, "eventLog" | "needs">> {
  if (url === undefined) {
    return { eventLog: stack.use(openLocalLog(environment(), deps)), needs: [] };
  }
  // Heavy, and needed only where the log is elsewhere.
  const { openKafkaLog } = await import("@heddle/eventlog/kafka");
  const user = logUser === undefined ? {} : { user: userOf(logUser, logPasswordFile) };
  const eventLog = stack.use(openKafkaLog({ url, ...user, ...deps }));
  return { eventLog, needs: [{ name: "event log", check: eventLog.check }] };
}

/** Online values in a folder of their own: it can be removed, for they are in the log, and others write without waiting for them. */
function openReplica(
  { state, mapBytesMax, onlineLagMsMax: lagMsMax }: Places,
  log: EventLog,
  deps: BackendsDeps,
  stack: AsyncDisposableStack,
): OnlineReplica {
  const path = join(state, "online");
  const environment = stack.use(openLmdbEnvironment({ path, mapBytesMax }));
  return stack.use(
    openOnlineReplica({ log, environment, ...deps, ...(lagMsMax !== undefined && { lagMsMax }) }),
  );
}

function userOf(name: string, passwordFile: string | undefined) {
  const password = (): Secret => readPassword(passwordFile);
  // What is wrong with the file now is said now.
  password();
  return { mechanism: "SCRAM-SHA-512" as const, name, password };
}

function readPassword(file = ""): Secret {
  try {
    return new Secret(readFileSync(file, "utf8").trim());
  } catch (error) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "LOG_PASSWORD_UNREADABLE",
      `a user of the event log is set, and the file of its password cannot be read: name one in logPasswordFile, for a host in HEDDLE_LOG_PASSWORD_FILE (${messageOf(error)})`,
      { cause: error },
    );
  }
}
