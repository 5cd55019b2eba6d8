import { type Clock, messageOf } from "@heddle/base";
import type { Collection, Db, MongoClient, ObjectId } from "mongodb";
import { addressOf, urlInvalid } from "./address.ts";
import { connectionsMax, storeClosed } from "./errors.ts";
import { ensureIndex } from "./indexes.ts";
import { notReplicated } from "./refusals.ts";
import { defaultLimits, type MongoLimits, type Run, startRuns } from "./runs.ts";
import type { MongoDocument } from "./stored.ts";

export interface MongoOptions {
  /** `mongodb://[user:password@]host:port[,host:port]/database[?options]`; no error and no log repeats it. */
  readonly url: string;
  readonly clock: Clock;
  /** Uniform in [0, 1): spreads repeated commands. */
  readonly random: () => number;
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
  const { url, clock, random } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const { place, database: name } = addressOf(url);
  // Heavy, and needed only where a store is elsewhere.
  const { MongoClient, ObjectId } = await import("mongodb");
  const client = prepare(() => new MongoClient(url, clientOptions(limits)), url);
  const standalones = watchStandalones(client);
  const database = client.db(name);
  const names = new Set<string>();
  const prepared = new Map<string, Promise<Collection<MongoDocument>>>();
  let closed = false;

  const run = startRuns({ place, clock, random, limits }, async () => {
    if (closed) throw storeClosed(place);
    await client.connect();
    const [standalone] = standalones;
    if (standalone !== undefined) throw notReplicated(`${standalone}/${name}`);
  });
  const ready = async (name: string): Promise<Collection<MongoDocument>> => {
    const collection = database.collection<MongoDocument>(name);
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
    newWrite: () => new ObjectId(),
    collection: collectionOf,
    forget: (name) => void prepared.delete(name),
    check: async () => {
      await run(place, () => ping(database));
      await Promise.all([...names].map(collectionOf));
    },
    [Symbol.asyncDispose]: () => {
      // The driver would open itself again at the next command.
      closed = true;
      return client.close();
    },
  };
}

function clientOptions({ selectMs, silenceMs }: MongoLimits) {
  return {
    appName: "heddle",
    maxPoolSize: connectionsMax,
    waitQueueTimeoutMS: silenceMs,
    serverSelectionTimeoutMS: selectMs,
    connectTimeoutMS: selectMs,
    socketTimeoutMS: silenceMs,
    // `run` repeats commands itself, by the ids of writes: the driver's way needs sessions, and forgets with them.
    retryWrites: false,
    retryReads: false,
  } as const;
}

/** Options of a URL are the operator's; what is wrong with them is said without the URL. */
function prepare(make: () => MongoClient, url: string): MongoClient {
  try {
    return make();
  } catch (error) {
    const text = messageOf(error).replaceAll(url, "it");
    const [, secrets] = /^[^/]*\/\/([^@/]*)@/.exec(url) ?? [];
    throw urlInvalid(secrets === undefined ? text : "the driver does not take its options");
  }
}

/** Addresses of servers that answer, but alone: the driver would write to them. */
function watchStandalones(client: MongoClient): ReadonlySet<string> {
  const standalones = new Set<string>();
  client.on("serverDescriptionChanged", ({ address, newDescription }) => {
    if (newDescription.type === "Standalone") standalones.add(address);
    else standalones.delete(address);
  });
  return standalones;
}

async function ping(database: Db): Promise<void> {
  await database.command({ ping: 1 });
}
