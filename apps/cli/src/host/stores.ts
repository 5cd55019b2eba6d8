import { readFileSync } from "node:fs";
import { type Clock, HeddleError, messageOf } from "@heddle/base";
import { Secret } from "@heddle/config";
import type { Need } from "@heddle/rpc";
import {
  type DocumentStore,
  type LmdbEnvironment,
  openLmdbStore,
  openMongo,
  openMongoStore,
} from "@heddle/store";

/** Where the services of a host keep their documents. */
export interface Stores {
  of(service: string): DocumentStore;
  /** What is elsewhere; empty when all is in the host's own folder. */
  readonly needs: readonly Need[];
}

interface StoresDeps {
  readonly environment: LmdbEnvironment;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly stack: AsyncDisposableStack;
}

/**
 * Opens the documents at a URL, or in the host's own LMDB environment when there is none. The event log and the online
 * values stay in that environment in either case.
 *
 * @throws {HeddleError} INVALID_ARGUMENT STORE_URL_INVALID.
 */
export async function openStores(url: Secret | undefined, deps: StoresDeps): Promise<Stores> {
  const { environment, clock, random, stack } = deps;
  if (url === undefined) {
    return { of: (service) => openLmdbStore(environment, service), needs: [] };
  }
  const connection = stack.use(await openMongo({ url: url.reveal(), clock, random }));
  return {
    of: (service) => openMongoStore(connection, service),
    needs: [{ name: "document store", check: connection.check }],
  };
}

/**
 * The URL of the documents: `HEDDLE_STORE_URL`, or the first line of the file that `HEDDLE_STORE_URL_FILE` names, which is
 * where a URL with a password belongs.
 *
 * @throws {HeddleError} INVALID_ARGUMENT CONFIG_UNREADABLE.
 */
export function storeUrlOf(environment: NodeJS.ProcessEnv): Secret | undefined {
  const { HEDDLE_STORE_URL: url, HEDDLE_STORE_URL_FILE: file } = environment;
  if (url !== undefined && url !== "") return new Secret(url);
  if (file === undefined || file === "") return undefined;
  try {
    return new Secret(readFileSync(file, "utf8").split("\n")[0]?.trim() ?? "");
  } catch (error) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "CONFIG_UNREADABLE",
      `the file that HEDDLE_STORE_URL_FILE names cannot be read: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
