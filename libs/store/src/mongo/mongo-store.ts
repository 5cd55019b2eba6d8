import { isHeddleError, type Json } from "@heddle/base";
import type { Collection } from "mongodb";
import { checkLimit, checkRevision, encodeValue } from "../bounds.ts";
import type { Documents, DocumentStore, ListOptions, Page } from "../port.ts";
import { reading } from "./concerns.ts";
import type { MongoConnection } from "./connection.ts";
import { pendingIndex } from "./indexes.ts";
import { idOf, keysBetween } from "./keys.ts";
import { type MongoDocument, openDocument } from "./stored.ts";
import { removeDocument, replaceDocument } from "./writes.ts";

/**
 * The document store of one service on a shared connection: a MongoDB collection `<service>.<name>` for each of its
 * collections, a MongoDB document for each of its documents. No write touches two documents, so it needs neither
 * transactions nor sessions. The connection belongs to its opener.
 */
export function openMongoStore(connection: MongoConnection, service: string): DocumentStore {
  return {
    collection: <T extends Json | object>(name: string): Documents<T> =>
      openCollection<T>(connection, `${service}.${name}`),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function openCollection<T extends Json | object>(
  connection: MongoConnection,
  name: string,
): Documents<T> {
  const place = `${connection.place}.${name}`;
  // A missing right shows early; whoever uses the collection is told.
  connection.collection(name).catch(() => undefined);
  const run = async <R>(
    where: string,
    act: (collection: Collection<MongoDocument>, maybeDone: boolean) => Promise<R>,
  ): Promise<R> => {
    const collection = await connection.collection(name);
    return connection.run(where, (maybeDone) => act(collection, maybeDone));
  };

  return {
    get: async (key) => {
      const _id = idOf(key);
      const found = await run(place, (collection) => collection.findOne({ _id }, reading));
      return found === null ? undefined : openDocument<T>(found, place);
    },
    put: async (key, value, expected, options = {}) => {
      const id = idOf(key);
      checkRevision(expected);
      const where = `${place}/${key}`;
      const text = encodeValue(where, value);
      const write = connection.newWrite();
      const change = { id, expected, text, write, pending: options.pending === true };
      await run(where, (collection, maybeDone) =>
        replaceDocument(collection, change, where, maybeDone),
      );
      return expected + 1;
    },
    delete: async (key, expected) => {
      const id = idOf(key);
      checkRevision(expected);
      const where = `${place}/${key}`;
      await run(where, (collection, maybeDone) =>
        removeDocument(collection, { id, expected }, where, maybeDone),
      );
    },
    list: async (options = {}) => {
      const { limit = 100 } = options;
      checkLimit(name, limit);
      const found = await run(place, (collection) => pageOf(collection, options, limit));
      return toPage<T>(found, limit, place);
    },
    pending: async (limit) => {
      try {
        return await run(place, (collection) => pendingOf(collection, limit));
      } catch (error) {
        if (isHeddleError(error, "STORE_INDEX_MISSING")) connection.forget(name);
        throw error;
      }
    },
  };
}

/** One more than the page, to know whether it is the last. */
function pageOf(
  collection: Collection<MongoDocument>,
  { prefix = "", after }: ListOptions,
  limit: number,
): Promise<MongoDocument[]> {
  const found = collection.find(keysBetween(prefix, after), reading);
  return found
    .sort({ _id: 1 })
    .limit(limit + 1)
    .toArray();
}

function toPage<T>(found: readonly MongoDocument[], limit: number, place: string): Page<T> {
  const items = found.slice(0, limit).map((document) => openDocument<T>(document, place));
  const last = items.at(-1);
  return found.length <= limit || last === undefined ? { items } : { items, next: last.key };
}

async function pendingOf(
  collection: Collection<MongoDocument>,
  limit: number,
): Promise<readonly string[]> {
  // To MongoDB 0 is no limit.
  if (limit <= 0) return [];
  const found = collection.find(
    // Of texts alone, as `list`: what has another key is not ours.
    { pending: true, _id: { $gte: "" } },
    { ...reading, projection: { _id: 1 }, hint: pendingIndex },
  );
  const documents = await found.sort({ _id: 1 }).limit(limit).toArray();
  return documents.map((document) => document._id);
}
