import { type Clock, isHeddleError } from "@heddle/base";
import type { Collection, Db, ObjectId } from "mongodb";
import { openClients } from "./clients.ts";
import { storeClosed } from "./errors.ts";
import { ensureIndex } from "./indexes.ts";
import { defaultLimits, type MongoLimits, type Run, startRuns } from "./runs.ts";
import type { MongoDocument } from "./stored.ts";

export interface MongoOptions {
  /**
   * `mongodb://[user:password@]host:port[,host:port]/database[?options]`; no error and no log repeats it. Asked again when the server
   * refuses who we are: the password may have been renewed.
   */
  readonly url: string | (() => string);
  readonly clock: Clock;
  /** Uniform in [0, 1): spreads repeated commands. */
  readonly random: () => number;
  /** Those of `defaultLimits` where absent. */
  readonly limits?: Partial<MongoLimits>;
}

/** One database of a MongoDB, shared by the stores of the services in a process. */
export interface MongoConnection {
  /** `host:port/database`, for messages. */
  readonly place: string;
  /** A collection that has its index: looked for, and made, when its name is first heard. */
  collection(name: string): Promise<Collection<MongoDocument>>;
  /** Has the collection's index looked for anew at its next use. */
  forget(name: string): void;
  /** Names a write, so that the document says who wrote it. */
  newWrite(): ObjectId;
  readonly run: Run;
  /**
   * Asks the server, and for the index of every collection whose name was heard.
   *
   * @throws {HeddleError} the reason why the store cannot be used now.
   */
  check(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Prepares a connection and waits for nobody: a server that is absent is named by the calls that need it, and found
 * again without a restart.
 *
 * @throws {HeddleError} INVALID_ARGUMENT STORE_URL_INVALID.
 */
export async function openMongo(options: MongoOptions): Promise<MongoConnection> {
  const { clock, random, url } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const urlNow = typeof url === "string" ? () => url : url;
  const clients = await openClients(urlNow, limits);
  const { place } = clients;
  const names = new Set<string>();
  const prepared = new Map<string, Promise<Collection<MongoDocument>>>();
  let closed = false;

  const command = startRuns({ place, clock, random, limits }, async () => {
    if (closed) throw storeClosed(place);
    await clients.connect();
  });
  const run: Run = async (where, act) => {
    try {
      return await command(where, act);
    } catch (error) {
      if (isRefusedUser(error) && (await clients.renew())) prepared.clear();
      throw error;
    }
  };
  const ready = async (name: string): Promise<Collection<MongoDocument>> => {
    const collection = clients.database().collection<MongoDocument>(name);
    const where = `${place}.${name}`;
    await run(where, () => ensureIndex(collection, where));
    return collection;
  };

  const collectionOf = (name: string): Promise<Collection<MongoDocument>> => {
    names.add(name);
    const known = prepared.get(name);
    if (known !== undefined) return known;
    const preparing = ready(name);
    prepared.set(name, preparing);
    // The next use tries again.
    preparing.catch(() => prepared.delete(name));
    return preparing;
  };

  return {
    place,
    run,
    newWrite: clients.newId,
    collection: collectionOf,
    forget: (name) => void prepared.delete(name),
    check: async () => {
      await run(place, () => ping(clients.database()));
      await Promise.all([...names].map(collectionOf));
    },
    [Symbol.asyncDispose]: async () => {
      // The driver would open itself again at the next command.
      closed = true;
      await clients.close();
    },
  };
}

const isRefusedUser = (error: unknown): boolean =>
  isHeddleError(error, "STORE_CREDENTIALS_REFUSED") ||
  isHeddleError(error, "STORE_CREDENTIALS_MISSING");

async function ping(database: Db): Promise<void> {
  await database.command({ ping: 1 });
}
