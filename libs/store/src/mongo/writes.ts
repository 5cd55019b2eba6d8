import type { Collection, ObjectId, UpdateFilter } from "mongodb";
import { revisionConflict } from "../errors.ts";
import { checksumOf } from "../record.ts";
import { confirming, writing } from "./concerns.ts";
import { codeOf, outcomeUnknown } from "./errors.ts";
import { type MongoDocument, writesKept } from "./stored.ts";

/** A compare-and-set of one document. */
export interface Change {
  readonly id: string;
  /** The revision it must have; 0: it must not exist. */
  readonly expected: number;
  /** The new value as JSON. */
  readonly text: string;
  readonly pending: boolean;
  /** Names this write: the document remembers who made its last revisions. */
  readonly write: ObjectId;
}

const duplicateKey = 11_000;

/**
 * Replaces the document if its revision is still `expected`.
 *
 * A try whose answer was lost is repeated. When the repeat finds the revision gone, the document says whether our first
 * try or another's write moved it.
 *
 * @param maybeDone an earlier try may have been done.
 * @throws {HeddleError} ABORTED REVISION_CONFLICT when another write came first.
 * @throws {HeddleError} UNAVAILABLE WRITE_OUTCOME_UNKNOWN when more writes followed than a document remembers.
 */
export async function replaceDocument(
  collection: Collection<MongoDocument>,
  change: Change,
  place: string,
  maybeDone: boolean,
): Promise<void> {
  const { id, expected, write } = change;
  const done = expected === 0 ? insert(collection, change) : update(collection, change);
  if (await done) return;
  if (maybeDone) {
    const mine = wroteIt(await lastWrites(collection, id), expected + 1, write);
    if (mine === true) return;
    if (mine === undefined) throw outcomeUnknown(place);
  }
  throw revisionConflict(place, expected);
}

/**
 * Removes the document if its revision is still `expected`.
 *
 * @throws {HeddleError} ABORTED REVISION_CONFLICT when another write came first.
 */
export async function removeDocument(
  collection: Collection<MongoDocument>,
  { id, expected }: Pick<Change, "id" | "expected">,
  place: string,
  maybeDone: boolean,
): Promise<void> {
  const { deletedCount } = await collection.deleteOne({ _id: id, revision: expected }, writing);
  if (deletedCount === 1) return;
  // What is gone remembers nothing; gone is what was asked for, whoever did it.
  const goneIsDone = maybeDone || expected === 0;
  if (goneIsDone && (await lastWrites(collection, id)) === undefined) return;
  throw revisionConflict(place, expected);
}

async function insert(collection: Collection<MongoDocument>, change: Change): Promise<boolean> {
  const { id, text, pending, write } = change;
  const fields = { _id: id, revision: 1, value: text, crc32: checksumOf(1, text) };
  const document = { ...fields, ...(pending ? { pending } : {}), writes: [write] } as const;
  try {
    await collection.insertOne(document, writing);
    return true;
  } catch (error) {
    if (codeOf(error) === duplicateKey) return false;
    throw error;
  }
}

async function update(collection: Collection<MongoDocument>, change: Change): Promise<boolean> {
  const { id, expected, text, pending, write } = change;
  const revision = expected + 1;
  const fields = { revision, value: text, crc32: checksumOf(revision, text) };
  const remember = { writes: { $each: [write], $position: 0, $slice: writesKept } };
  const next: UpdateFilter<MongoDocument> = pending
    ? { $set: { ...fields, pending }, $push: remember }
    : { $set: fields, $unset: { pending: "" }, $push: remember };
  const { matchedCount } = await collection.updateOne(
    { _id: id, revision: expected },
    next,
    writing,
  );
  return matchedCount === 1;
}

type LastWrites = Pick<MongoDocument, "revision" | "writes">;

async function lastWrites(
  collection: Collection<MongoDocument>,
  id: string,
): Promise<LastWrites | undefined> {
  const projection = { revision: 1, writes: 1 };
  return (await collection.findOne({ _id: id }, { ...confirming, projection })) ?? undefined;
}

/** Whether this write made that revision; undefined when the document does not know any more. */
function wroteIt(
  found: LastWrites | undefined,
  revision: number,
  write: ObjectId,
): boolean | undefined {
  if (found === undefined) return undefined;
  const behind = found.revision - revision;
  if (behind < 0) return false;
  return behind < writesKept ? found.writes[behind]?.equals(write) === true : undefined;
}
