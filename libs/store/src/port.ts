import type { Json } from "@heddle/base";

/** A stored document: its value and the revision that a writer must name to replace it. */
export interface Stored<T> {
  readonly key: string;
  readonly value: T;
  /** 1 for the first write, one more at each write after it. */
  readonly revision: number;
}

/** One page of a listing, in key order. `next` is absent on the last page. */
export interface Page<T> {
  readonly items: readonly Stored<T>[];
  readonly next?: string;
}

export interface ListOptions {
  /** Only keys that begin with it. */
  readonly prefix?: string;
  /** Start after this key. */
  readonly after?: string;
  /** 1 to 1,000; 100 when absent. */
  readonly limit?: number;
}

/** What a document's writer marks so that others find it without reading it. */
export interface WriteOptions {
  /** The document has outbox entries to relay: it appears in `pending` until a write without the mark. */
  readonly pending?: boolean;
}

/** A named set of documents, each a plain JSON value of at most `documentBytesMax`. */
export interface Documents<T extends Json | object> {
  get(key: string): Promise<Stored<T> | undefined>;
  /**
   * Replaces the document if its revision is still `expected` (0: it must not exist yet), atomically
   * and durably: when the promise resolves, the write survives a power cut.
   *
   * @returns the new revision.
   * @throws {HeddleError} ABORTED REVISION_CONFLICT when another write came first.
   * @throws {HeddleError} UNAVAILABLE WRITE_OUTCOME_UNKNOWN when the answer was lost and later writes hide whether it was done: read again, then decide.
   * @throws {HeddleError} INVALID_ARGUMENT DOCUMENT_TOO_LARGE above `documentBytesMax`.
   * @throws {HeddleError} RESOURCE_EXHAUSTED STORE_FULL when the disk or the map is full; nothing is written.
   */
  put(key: string, value: T, expected: number, options?: WriteOptions): Promise<number>;
  /** @throws {HeddleError} ABORTED REVISION_CONFLICT as `put` does. */
  delete(key: string, expected: number): Promise<void>;
  list(options?: ListOptions): Promise<Page<T>>;
  /** Keys of documents marked pending, in key order. */
  pending(limit: number): Promise<readonly string[]>;
}

/** The document store port. One backend serves one or more services, each with collections of its own. */
export interface DocumentStore {
  collection<T extends Json | object>(name: string): Documents<T>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const documentBytesMax = 1 << 20;
