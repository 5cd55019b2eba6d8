import { readFile, rm, stat } from "node:fs/promises";
import { assert, type Clock, HeddleError, isHeddleError } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import { codeOf, noSuchFile, objectDiffers } from "../../errors.ts";
import { type Digest, digestOf, digestOfFile } from "../../files.ts";
import type { ObjectInfo } from "../../port.ts";
import type { S3 } from "../client.ts";
import { digestMetadata, find, infoOf, type S3Reference, tokenMetadata } from "../find.ts";
import { digestTargetOf } from "../keys.ts";
import { openPartMemory, type Part, partsOfBytes, partsOfFile, partsOfPieces } from "./parts.ts";
import type { Refusal } from "../requests.ts";
import * as uploads from "./upload.ts";

export interface PutDeps {
  readonly s3: S3;
  readonly clock: Clock;
  /** What is larger goes in parts of this size; S3 takes none below 5 MiB but the last. */
  readonly partBytes: number;
  readonly limits: uploads.UploadLimits;
}

/** From here on it is asked first whether the name is taken: a server that refuses a large body often cuts the connection instead. */
const askedFirstBytes = 256 << 10;
/** Of one store that others contest. */
const triesMax = 8;
const pauseMs = 20;

export async function putBytes(
  deps: PutDeps,
  name: string,
  bytes: Uint8Array,
): Promise<ObjectInfo> {
  const digest = await digestOf(bytes);
  if (bytes.byteLength <= deps.partBytes) return await storeWhole(deps, name, bytes, digest);
  const partBytes = partBytesFor(deps, digest);
  const parts = partsOfBytes(bytes, partBytes);
  return (await same(deps.s3, name, digest)) ?? (await storeParts(deps, name, digest, parts));
}

/** @throws {HeddleError} NOT_FOUND NO_SUCH_FILE; FAILED_PRECONDITION FILE_CHANGED when somebody still writes it. */
export async function putPath(deps: PutDeps, name: string, path: string): Promise<ObjectInfo> {
  const before = await stat(path).catch((error: unknown) => {
    throw codeOf(error) === "ENOENT" ? noSuchFile(path, name) : error;
  });
  const digest = await digestOfFile(path);
  const unchanged = async (): Promise<void> => {
    const { size, mtimeMs } = await stat(path);
    if (size !== before.size || mtimeMs !== before.mtimeMs) throw fileChanged(path, name);
  };
  const store = async (): Promise<ObjectInfo> => {
    if (digest.bytes <= deps.partBytes) {
      const bytes = await readFile(path);
      await unchanged();
      return await storeWhole(deps, name, bytes, digest);
    }
    const memory = memoryOf(deps, partBytesFor(deps, digest));
    const known = await same(deps.s3, name, digest);
    return known ?? (await storeParts(deps, name, digest, partsOfFile(path, memory), unchanged));
  };
  const info = await store();
  // Only now, so that a failed put leaves the file to its owner.
  await rm(path);
  return info;
}

/** Bytes whose digest is known at their end only. What fits into one part is stored as `putBytes` does. */
export async function putPieces(
  deps: PutDeps,
  name: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<ObjectInfo> {
  const { s3, limits } = deps;
  let digest: Digest = { sha256: "", bytes: 0 };
  const memory = memoryOf(deps, deps.partBytes);
  const parts = partsOfPieces(pieces, memory, (whole) => (digest = whole));
  try {
    const { value: first } = await parts.next();
    assert(first !== undefined, "there is always a first part");
    if (first.last) return await storeWhole(deps, name, first.bytes, digest);
    const token = uploads.newToken();
    const metadata = { [tokenMetadata]: token };
    const upload = await uploads.sendParts(s3, name, before(first, parts), metadata, limits);
    return await makeVisible(deps, upload, { name, ...digest }, token);
  } finally {
    // Whoever gives the pieces learns that no more are wanted.
    await parts.return(undefined);
  }
}

async function* before(first: Part, rest: AsyncIterable<Part>): AsyncGenerator<Part> {
  yield first;
  yield* rest;
}

async function storeWhole(
  deps: PutDeps,
  name: string,
  bytes: Uint8Array,
  digest: Digest,
): Promise<ObjectInfo> {
  const metadata = { [digestMetadata]: digest.sha256 };
  const info = { name, bytes: digest.bytes, sha256: digest.sha256 };
  const known = digest.bytes < askedFirstBytes ? undefined : await same(deps.s3, name, digest);
  if (known !== undefined) return known;
  await settle(deps, info, () => uploads.putWhole(deps.s3, name, bytes, digest.sha256, metadata));
  return info;
}

async function storeParts(
  deps: PutDeps,
  name: string,
  digest: Digest,
  parts: AsyncIterable<Part>,
  unchanged?: () => Promise<void>,
): Promise<ObjectInfo> {
  const metadata = { [digestMetadata]: digest.sha256 };
  const upload = await uploads.sendParts(deps.s3, name, parts, metadata, deps.limits);
  try {
    await unchanged?.();
  } catch (error) {
    await uploads.abandon(deps.s3, upload);
    throw error;
  }
  return await makeVisible(deps, upload, { name, ...digest });
}

/** Makes an upload the object of its name, unless that holds the same bytes already; gives the upload up when it does not become it. */
async function makeVisible(
  deps: PutDeps,
  upload: uploads.Upload,
  info: ObjectInfo,
  token?: string,
): Promise<ObjectInfo> {
  const { s3 } = deps;
  failpoint("objects.upload.after-parts");
  try {
    if (token !== undefined) await uploads.putDigest(s3, info.name, token, info.sha256);
    failpoint("objects.upload.after-digest");
    const there = await settle(deps, info, () => uploads.complete(s3, upload));
    failpoint("objects.upload.after-complete");
    if (there === undefined || there.token === token) return info;
    await giveUp(s3, upload, token);
    return info;
  } catch (error) {
    // Without an answer nobody knows whether it became the object: then its digest must stay.
    const lost = isHeddleError(error, "OBJECT_DIFFERS");
    await giveUp(s3, upload, lost ? token : undefined);
    throw error;
  }
}

async function giveUp(s3: S3, upload: uploads.Upload, token: string | undefined): Promise<void> {
  await uploads.abandon(s3, upload);
  if (token !== undefined) await removeDigest(s3, upload.name, token);
}

/** A digest that stays where it is belongs to nothing and harms nobody. */
export async function removeDigest(s3: S3, name: string, token: string): Promise<void> {
  const target = digestTargetOf(s3.location, name, token);
  await s3
    .call(`the digest of object ${name}`, (client, sdk) =>
      client.send(new sdk.DeleteObjectCommand(target)),
    )
    .catch(() => undefined);
}

/**
 * Stores until it is known what the name holds. A refusal says only that something is there, or was a moment ago: another's, or our own,
 * whose answer was lost. No answer says nothing at all.
 *
 * @returns what is there, when it was there before; undefined when this stored it.
 * @throws {HeddleError} ALREADY_EXISTS OBJECT_DIFFERS.
 */
async function settle(
  { s3, clock }: PutDeps,
  info: ObjectInfo,
  store: () => Promise<"stored" | "gone" | Refusal>,
): Promise<S3Reference | undefined> {
  for (let tries = 1; ; tries++) {
    const outcome = await store().catch((error: unknown) => {
      if (isHeddleError(error, "OBJECTS_UNAVAILABLE")) return error;
      throw error;
    });
    if (outcome === "stored") return undefined;
    const known = await find(s3, info.name);
    if (known !== undefined) return sameOrThrow(known, info);
    if (outcome instanceof HeddleError) throw outcome;
    if (outcome === "gone" || tries === triesMax) throw contested(info.name, s3.place);
    await clock.sleep(pauseMs * tries, never);
  }
}

const never = new AbortController().signal;

async function same(s3: S3, name: string, digest: Digest): Promise<ObjectInfo | undefined> {
  const known = await find(s3, name);
  return known === undefined ? undefined : infoOf(sameOrThrow(known, digest));
}

function sameOrThrow(known: S3Reference, { sha256 }: Digest): S3Reference {
  if (known.sha256 === sha256) return known;
  throw objectDiffers(known.name, known.sha256, sha256);
}

/** Parts are as many as S3 takes, at most. */
function partBytesFor({ partBytes, limits }: PutDeps, { bytes }: Digest): number {
  return Math.max(partBytes, Math.ceil(bytes / limits.partsMax));
}

/** One part is filled while the others are sent. */
const memoryOf = ({ limits }: PutDeps, partBytes: number) =>
  openPartMemory(partBytes, limits.partsAtOnce + 1);

function contested(name: string, place: string): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "OBJECTS_CONTESTED",
    `object ${name} could not be stored in ${place}: others write or delete it, or end its uploads, at the same time; retry`,
  );
}

function fileChanged(path: string, name: string): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "FILE_CHANGED",
    `${path} changed while it was stored as ${name}: store it when nobody writes it any more`,
  );
}
