/** What is known of a stored object. */
export interface ObjectInfo {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * The object port: immutable blobs by name. A name is a `/`-separated path of `[a-z0-9._=-]+` parts.
 *
 * Of a place on a server any call may say that it is away (UNAVAILABLE OBJECTS_UNAVAILABLE), takes our credentials no more
 * (UNAUTHENTICATED OBJECTS_CREDENTIALS), or does not let us (PERMISSION_DENIED OBJECTS_DENIED).
 */
export interface Objects {
  /**
   * Stores bytes durably under a name that must be new or hold the same bytes already.
   *
   * @throws {HeddleError} ALREADY_EXISTS OBJECT_DIFFERS when the name holds other bytes.
   * @throws {HeddleError} RESOURCE_EXHAUSTED OBJECTS_FULL when there is no room; no part of it stays.
   */
  put(name: string, bytes: Uint8Array): Promise<ObjectInfo>;
  /** As `put`, from a local file, which is moved when it lies on the same disk. */
  putFile(name: string, path: string): Promise<ObjectInfo>;
  /** As `put`, of bytes that come in pieces; holds one of them. */
  putStream(name: string, pieces: AsyncIterable<Uint8Array>): Promise<ObjectInfo>;
  /**
   * Reads an object whole and checks it.
   *
   * @param expected SHA-256 the bytes must have.
   * @throws {HeddleError} NOT_FOUND NO_SUCH_OBJECT.
   * @throws {HeddleError} DATA_LOSS OBJECT_CORRUPT when the bytes are not those that were stored.
   */
  get(name: string, expected?: string): Promise<Uint8Array>;
  /**
   * As `get`, in pieces, of which it holds one: a piece stands until the next is asked for, which may have the same memory. The
   * digest is known only at the end: whoever reads takes back what it did with the pieces when this throws.
   */
  stream(name: string, expected?: string): AsyncIterable<Uint8Array>;
  /**
   * A local path from which the object can be read as a file, checked as `get` does. On S3 it is a copy, which stays for at least six
   * hours since it was asked for last.
   *
   * @throws {HeddleError} RESOURCE_EXHAUSTED OBJECTS_CACHE_FULL when there is no room for a copy.
   */
  path(name: string, expected?: string): Promise<string>;
  head(name: string): Promise<ObjectInfo | undefined>;
  /** Names under a prefix, in order. */
  list(prefix: string): Promise<readonly string[]>;
  delete(name: string): Promise<void>;
}
