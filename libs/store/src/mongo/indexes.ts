import { HeddleError, isHeddleError } from "@heddle/base";
import type { Collection, IndexDescriptionInfo } from "mongodb";
import { writing } from "./concerns.ts";
import { codeOf, failureOf } from "./errors.ts";
import type { MongoDocument } from "./stored.ts";

/** Holds only the documents that wait for the relay, in key order: looking for them reads no others. */
export const pendingIndex = "heddle_pending";
const keys = { pending: 1, _id: 1 } as const;
const filter = { pending: true } as const;

const namespaceNotFound = 26;

/**
 * Makes sure that a collection has the index that `pending` reads, and makes it where it is missing.
 * Whoever may not make it may have it made: the error says by which command.
 *
 * @param place names the collection in errors.
 * @throws {HeddleError} FAILED_PRECONDITION STORE_INDEX_DIFFERS, PERMISSION_DENIED STORE_RIGHTS_MISSING.
 */
export async function ensureIndex(
  collection: Collection<MongoDocument>,
  place: string,
): Promise<void> {
  const known = await indexesOf(collection);
  const found = known.find(({ name }) => name === pendingIndex);
  if (found !== undefined) {
    if (fits(found)) return;
    throw indexDiffers(place, collection.collectionName);
  }
  try {
    const options = { name: pendingIndex, partialFilterExpression: filter };
    await collection.createIndex(keys, options, writing);
  } catch (error) {
    const refused = failureOf(error, place)?.error;
    if (!isHeddleError(refused, "STORE_RIGHTS_MISSING")) throw error;
    throw indexMissing(place, collection.collectionName, refused);
  }
}

async function indexesOf(
  collection: Collection<MongoDocument>,
): Promise<readonly IndexDescriptionInfo[]> {
  try {
    return await collection.indexes();
  } catch (error) {
    // A collection is made by its first write.
    if (codeOf(error) === namespaceNotFound) return [];
    throw error;
  }
}

function fits({ key, partialFilterExpression }: IndexDescriptionInfo): boolean {
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  return same(key, keys) && same(partialFilterExpression, filter);
}

/** What an operator types into mongosh. */
function command(collection: string): string {
  const options = JSON.stringify({ name: pendingIndex, partialFilterExpression: filter });
  return `db.getCollection("${collection}").createIndex(${JSON.stringify(keys)}, ${options})`;
}

function indexDiffers(place: string, collection: string): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "STORE_INDEX_DIFFERS",
    `the index ${pendingIndex} of ${place} is not the one that Heddle needs: drop it and run ${command(collection)}`,
  );
}

function indexMissing(place: string, collection: string, cause: HeddleError): HeddleError {
  return new HeddleError(
    "PERMISSION_DENIED",
    "STORE_RIGHTS_MISSING",
    `${place} lacks the index ${pendingIndex}, and this user may not make it: grant it readWrite, or have an administrator run ${command(collection)}`,
    { cause },
  );
}
