import { messageOf } from "@heddle/base";
import type { Db, MongoClient, ObjectId } from "mongodb";
import { addressOf, urlInvalid } from "./address.ts";
import { connectionsMax } from "./errors.ts";
import { notReplicated } from "./refusals.ts";
import type { MongoLimits } from "./runs.ts";

/** The driver's client of one place, and the next one when the place's URL was renewed. */
export interface Clients {
  /** `host:port/database`, for messages. */
  readonly place: string;
  database(): Db;
  newId(): ObjectId;
  /** @throws {HeddleError} STORE_NOT_REPLICATED, and what the driver throws. */
  connect(): Promise<void>;
  /** Goes on with the URL as it is now. @returns whether it is another one; one of another place is not taken: that is not the same store. */
  renew(): Promise<boolean>;
  close(): Promise<void>;
}

/** A client of one URL. */
interface Opened {
  readonly url: string;
  readonly client: MongoClient;
  /** Addresses of servers that answer, but alone. */
  readonly standalones: ReadonlySet<string>;
}

/** @throws {HeddleError} INVALID_ARGUMENT STORE_URL_INVALID. */
export async function openClients(urlNow: () => string, limits: MongoLimits): Promise<Clients> {
  const { place, database: name } = addressOf(urlNow());
  // Heavy, and needed only where a store is elsewhere.
  const { MongoClient, ObjectId } = await import("mongodb");
  const open = (url: string): Opened => {
    const client = prepare(() => new MongoClient(url, clientOptions(limits)), url);
    return { url, client, standalones: watchStandalones(client) };
  };
  let current = open(urlNow());
  /** What is under way by it may still end well. */
  let former: Opened | undefined;
  return {
    place,
    database: () => current.client.db(name),
    newId: () => new ObjectId(),
    connect: async () => {
      const { client, standalones } = current;
      await client.connect();
      const [standalone] = standalones;
      if (standalone !== undefined) throw notReplicated(`${standalone}/${name}`);
    },
    renew: async () => {
      const url = urlNow();
      if (url === current.url || addressOf(url).place !== place) return false;
      const oldest = former;
      former = current;
      current = open(url);
      await oldest?.client.close();
      return true;
    },
    close: async () => {
      await former?.client.close();
      await current.client.close();
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
