import type { Clock } from "@heddle/base";
import { noSuchObject, objectsError } from "../errors.ts";
import { checkName } from "../name.ts";
import type { Objects } from "../port.ts";
import { openS3, type S3 } from "./client.ts";
import { proveConditional } from "./writing/conditional.ts";
import { openCopies } from "./copies.ts";
import { find, infoOf } from "./find.ts";
import { nameOf, targetOf } from "./keys.ts";
import type { S3Location } from "./location.ts";
import { type PutDeps, putBytes, putPath, putPieces, removeDigest } from "./writing/put.ts";
import { checkExpected, openObject } from "./read.ts";
import { sweepUploads } from "./sweep.ts";

export interface S3ObjectsOptions {
  readonly location: S3Location;
  readonly clock: Clock;
  /** What is larger goes in parts of this size. 8 MiB when absent; S3 takes no smaller ones than 5 MiB. */
  readonly partBytes?: number;
  /** Parts of one put that are sent at once; it holds one more. 4 when absent. */
  readonly partsAtOnce?: number;
  /** Parts of one object. 10,000 when absent, which is all that S3 takes. */
  readonly partsMax?: number;
  /** An upload that is older is a dead writer's. A day when absent. */
  readonly uploadMs?: number;
  /** A path holds for this long since it was asked for. 6 hours when absent. */
  readonly copyKeptMs?: number;
}

const hourMs = 3_600_000;

/**
 * Objects in a bucket, each under the key of its name, with its SHA-256 in its metadata. An object appears at once and whole, where none
 * is: by one conditional put, or by the conditional completion of an upload in parts.
 *
 * Nothing is asked of the server until the first call, and each call finds it as it is then.
 */
export function openS3Objects(options: S3ObjectsOptions): Objects {
  const { location, clock } = options;
  const s3 = openS3(location);
  const deps: PutDeps = {
    s3,
    clock,
    partBytes: options.partBytes ?? 8 << 20,
    limits: { partsAtOnce: options.partsAtOnce ?? 4, partsMax: options.partsMax ?? 10_000 },
  };
  const copies = openCopies({
    folder: location.cacheFolder,
    bytesMax: location.cacheBytesMax,
    keptMs: options.copyKeptMs ?? 6 * hourMs,
    now: () => clock.now(),
  });
  const guard = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    checkName(name);
    try {
      return await work();
    } catch (error) {
      throw objectsError(error, `object ${name} in ${s3.place}`);
    }
  };
  const prepared = beforeFirstWrite(s3, () => clock.now() - (options.uploadMs ?? 24 * hourMs));
  const write = <T>(name: string, work: () => Promise<T>): Promise<T> =>
    guard(name, async () => {
      await prepared();
      return await work();
    });

  return {
    put: (name, bytes) => write(name, () => putBytes(deps, name, bytes)),
    putFile: (name, path) => write(name, () => putPath(deps, name, path)),
    putStream: (name, pieces) => write(name, () => putPieces(deps, name, pieces)),
    get: (name, expected) => guard(name, () => readWhole(s3, name, expected)),
    stream: (name, expected) => readStream(s3, name, expected, guard),
    path: (name, expected) =>
      guard(name, async () => {
        const reference = await find(s3, name);
        if (reference === undefined) throw noSuchObject(name);
        checkExpected(reference, expected);
        return await copies.pathOf(reference, () => readStream(s3, name, reference.sha256, guard));
      }),
    head: (name) =>
      guard(name, async () => {
        const reference = await find(s3, name);
        return reference === undefined ? undefined : infoOf(reference);
      }),
    list: (prefix) => listNames(s3, prefix),
    delete: (name) =>
      guard(name, async () => {
        const reference = await find(s3, name);
        if (reference === undefined) return;
        await s3.call(`object ${name}`, (client, sdk) =>
          client.send(new sdk.DeleteObjectCommand(targetOf(location, name))),
        );
        if (reference.token !== undefined) await removeDigest(s3, name, reference.token);
        await copies.remove(reference);
      }),
  };
}

/** What the first write of a process sees to: that the server keeps writers apart, and that dead ones' uploads go. */
function beforeFirstWrite(s3: S3, uploadsBefore: () => number): () => Promise<void> {
  let done: Promise<void> | undefined;
  const prepare = async (): Promise<void> => {
    await proveConditional(s3);
    // Whoever may not list or abort uploads can write all the same, and the next one sweeps; the guide names a rule for the bucket.
    await sweepUploads(s3, uploadsBefore()).catch(() => undefined);
  };
  return () => {
    const now = (done ??= prepare());
    now.catch(() => {
      if (done === now) done = undefined;
    });
    return now;
  };
}

async function readWhole(s3: S3, name: string, expected?: string): Promise<Uint8Array> {
  const { reference, pieces } = await openObject(s3, name, expected);
  const bytes = Buffer.allocUnsafe(reference.bytes);
  let at = 0;
  for await (const piece of pieces) {
    // More than was announced is found by the digest, too.
    bytes.set(piece.subarray(0, bytes.byteLength - at), at);
    at += piece.byteLength;
  }
  return bytes;
}

async function* readStream(
  s3: S3,
  name: string,
  expected: string | undefined,
  guard: <T>(name: string, work: () => Promise<T>) => Promise<T>,
): AsyncGenerator<Uint8Array> {
  const { pieces } = await guard(name, () => openObject(s3, name, expected));
  try {
    for (;;) {
      const next = await guard(name, () => pieces.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Whoever stops early leaves no connection open.
    await pieces.return(undefined);
  }
}

async function listNames(s3: S3, prefix: string): Promise<readonly string[]> {
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  if (folder !== "") checkName(folder.slice(0, -1));
  const { bucket, prefix: own } = s3.location;
  const names: string[] = [];
  let after: string | undefined;
  do {
    const from = after === undefined ? {} : { ContinuationToken: after };
    const page = await s3.call(`the objects under ${prefix}`, (client, sdk) =>
      client.send(
        new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: `${own}${prefix}`, ...from }),
      ),
    );
    for (const { Key = "" } of page.Contents ?? []) {
      const name = nameOf(s3.location, Key);
      if (name !== undefined) names.push(name);
    }
    after = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (after !== undefined);
  // Not every server lists in the order of bytes.
  return names.sort();
}
