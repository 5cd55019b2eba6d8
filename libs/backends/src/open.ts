import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "@heddle/base";
import { type EventLog, openLocalLog } from "@heddle/eventlog";
import { type Objects, openObjects } from "@heddle/objects";
import { type OnlineValues, openLmdbOnline } from "@heddle/online";
import {
  type DocumentStore,
  type LmdbEnvironment,
  openLmdbEnvironment,
  openLmdbStore,
  openMongo,
  openMongoStore,
} from "@heddle/store";
import type { Places } from "./settings.ts";

/** The ports of one process, with what stands behind them. */
export interface Backends extends AsyncDisposable {
  readonly eventLog: EventLog;
  readonly objects: Objects;
  /** The documents of one service. */
  storeOf(service: string): DocumentStore;
  /** Online values lie in LMDB wherever the rest is. */
  openOnline(): OnlineValues;
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
 * @throws {HeddleError} INVALID_ARGUMENT STORE_URL_INVALID, LOG_URL_INVALID, OBJECTS_URL_INVALID.
 */
export async function openBackends(places: Places, deps: BackendsDeps): Promise<Backends> {
  const stack = new AsyncDisposableStack();
  let opened: LmdbEnvironment | undefined;
  /** One for all that lies in it, opened when the first of them is. */
  const environment = (): LmdbEnvironment =>
    (opened ??= stack.use(
      openLmdbEnvironment({ path: lmdbFolder(places), mapBytesMax: places.mapBytesMax }),
    ));
  try {
    const storeOf = await openStores(places, deps, environment, stack);
    const eventLog = stack.use(await openLog(places, deps, environment));
    const objects = await openObjects(places.objects);
    const openOnline = (): OnlineValues => stack.use(openLmdbOnline(environment()));
    return {
      ...{ eventLog, objects, storeOf, openOnline },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function lmdbFolder({ state }: Places): string {
  const path = join(state, "store");
  mkdirSync(path, { recursive: true });
  return path;
}

async function openStores(
  { storeUrl }: Places,
  deps: BackendsDeps,
  environment: () => LmdbEnvironment,
  stack: AsyncDisposableStack,
): Promise<Backends["storeOf"]> {
  if (storeUrl === undefined) return (service) => openLmdbStore(environment(), service);
  const connection = stack.use(await openMongo({ url: storeUrl.reveal(), ...deps }));
  return (service) => openMongoStore(connection, service);
}

async function openLog(
  { logUrl: url, logUser: user }: Places,
  deps: BackendsDeps,
  environment: () => LmdbEnvironment,
): Promise<EventLog> {
  if (url === undefined) return openLocalLog(environment(), deps);
  // Heavy, and needed only where the log is elsewhere.
  const { openKafkaLog } = await import("@heddle/eventlog/kafka");
  return openKafkaLog({ url, ...deps, ...(user === undefined ? {} : { user }) });
}
