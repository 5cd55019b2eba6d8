import type { Json } from "@heddle/base";
import { boundOf, checkLimit, checkRevision, encodeValue, keyOf } from "../bounds.ts";
import type { LmdbDatabase, LmdbEnvironment } from "./environment.ts";
import { revisionConflict } from "../errors.ts";
import type { Documents, DocumentStore, ListOptions, Page, Stored, WriteOptions } from "../port.ts";
import { openRecord, type SealedRecord, sealRecord } from "../record.ts";

const mark = Buffer.from([1]);

/**
 * The document store of one service on a shared environment: two named databases a collection, one
 * of documents and one of the keys marked pending. Disposing it waits for nothing and closes
 * nothing, for each write was durable when it resolved; the environment belongs to its opener.
 */
export function openLmdbStore(environment: LmdbEnvironment, service: string): DocumentStore {
  return {
    collection: <T extends Json | object>(name: string): Documents<T> =>
      openCollection<T>(environment, `${service}/${name}`),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function openCollection<T extends Json | object>(
  environment: LmdbEnvironment,
  name: string,
): Documents<T> {
  const documents = environment.database(`documents/${name}`);
  const pending = environment.database(`pending/${name}`);

  const read = (key: Buffer): Stored<T> | undefined => {
    const sealed = documents.getBinary(key);
    return sealed === undefined ? undefined : decode<T>(name, key, sealed);
  };
  /** What a write compares is the revision alone: the document before it is not parsed. */
  const check = (key: Buffer, expected: number): void => {
    const sealed = documents.getBinary(key);
    const found = sealed === undefined ? 0 : open(name, key, sealed).number;
    if (found !== expected) throw revisionConflict(`${name}/${key.toString()}`, expected, found);
  };

  return {
    get: (key) => settle(() => read(keyOf(key))),
    put: async (key, value, expected, options: WriteOptions = {}) => {
      const id = keyOf(key);
      checkRevision(expected);
      const body = Buffer.from(encodeValue(`${name}/${key}`, value));
      const sealed = sealRecord(expected + 1, body);
      await environment.write(sealed.length, () => {
        check(id, expected);
        documents.putSync(id, sealed);
        if (options.pending === true) pending.putSync(id, mark);
        else pending.removeSync(id);
      });
      return expected + 1;
    },
    delete: async (key, expected) => {
      const id = keyOf(key);
      checkRevision(expected);
      await environment.write(0, () => {
        check(id, expected);
        documents.removeSync(id);
        pending.removeSync(id);
      });
    },
    list: (options = {}) => settle(() => listPage<T>(documents, name, options)),
    pending: (limit) => settle(() => [...pending.getKeys({ limit })].map((key) => key.toString())),
  };
}

function listPage<T>(documents: LmdbDatabase, name: string, options: ListOptions): Page<T> {
  const { prefix = "", after, limit = 100 } = options;
  checkLimit(name, limit);
  const head = boundOf(prefix);
  const last = after === undefined ? head : boundOf(after);
  const start = Buffer.compare(last, head) > 0 ? last : head;
  const items: Stored<T>[] = [];
  for (const { key, value } of documents.getRange(start.length === 0 ? {} : { start })) {
    if (!key.subarray(0, head.length).equals(head)) break;
    if (after !== undefined && Buffer.compare(key, last) <= 0) continue;
    const previous = items.at(-1);
    if (items.length === limit && previous !== undefined) return { items, next: previous.key };
    items.push(decode<T>(name, key, value));
  }
  return { items };
}

function decode<T>(name: string, key: Buffer, sealed: Buffer): Stored<T> {
  const { number, body } = open(name, key, sealed);
  return { key: key.toString(), value: JSON.parse(body.toString()) as T, revision: number };
}

const open = (name: string, key: Buffer, sealed: Buffer): SealedRecord =>
  openRecord(sealed, `document ${name}/${key.toString()}`);

/** LMDB reads memory and answers at once; the port promises promises, also of errors. */
async function settle<T>(read: () => T): Promise<T> {
  return read();
}
