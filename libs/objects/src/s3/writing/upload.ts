import { randomUUID } from "node:crypto";
import type { CompletedPart } from "@aws-sdk/client-s3";
import { HeddleError, sha256 } from "@heddle/base";
import type { S3 } from "../client.ts";
import { errorName } from "../errors.ts";
import { digestTargetOf, targetOf } from "../keys.ts";
import type { Part } from "./parts.ts";
import { base64Of, refusalOf, type Refusal, signBody } from "../requests.ts";

export interface UploadLimits {
  readonly partsAtOnce: number;
  readonly partsMax: number;
}

/** An object of which all parts are at the server and none can be seen yet. */
export interface Upload {
  readonly name: string;
  readonly id: string;
  readonly parts: readonly CompletedPart[];
}

/** Writes a whole object in one request, where none is. */
export function putWhole(
  s3: S3,
  name: string,
  bytes: Uint8Array,
  digest: string,
  metadata: Readonly<Record<string, string>>,
): Promise<"stored" | Refusal> {
  return s3.call(`object ${name}`, async (client, sdk) => {
    const command = new sdk.PutObjectCommand({
      ...targetOf(s3.location, name),
      Body: bytes,
      ContentLength: bytes.byteLength,
      IfNoneMatch: "*",
      ChecksumSHA256: base64Of(digest),
      Metadata: metadata,
    });
    signBody(command, digest);
    return await client.send(command).then(() => "stored" as const, refusalOf);
  });
}

/**
 * Sends parts, several at once; leaves nothing at the server when it fails, unless the server is out of reach: then the sweep does.
 *
 * @throws {HeddleError} RESOURCE_EXHAUSTED OBJECT_TOO_LARGE.
 */
export async function sendParts(
  s3: S3,
  name: string,
  parts: AsyncIterable<Part>,
  metadata: Readonly<Record<string, string>>,
  limits: UploadLimits,
): Promise<Upload> {
  const id = await begin(s3, name, metadata);
  const sent: CompletedPart[] = [];
  const underWay = new Set<Promise<void>>();
  let failed: { readonly error: unknown } | undefined;
  try {
    let number = 0;
    for await (const part of parts) {
      const [at, free] = [(number += 1), () => part.release()];
      if (at > limits.partsMax) {
        free();
        throw tooLarge(name, limits);
      }
      const sending = sendPart(s3, name, id, at, part.bytes)
        .then(
          (done) => void (sent[at - 1] = done),
          // It may fail while we wait for whoever gives the parts: it is kept until we look.
          (error: unknown) => void (failed ??= { error }),
        )
        .finally(() => {
          free();
          underWay.delete(sending);
        });
      underWay.add(sending);
      if (underWay.size >= limits.partsAtOnce) await Promise.race(underWay);
      if (failed !== undefined) break;
    }
    await Promise.all(underWay);
    if (failed !== undefined) throw failed.error;
  } catch (error) {
    await Promise.all(underWay);
    await abandon(s3, { name, id });
    throw error;
  }
  return { name, id, parts: sent };
}

async function begin(
  s3: S3,
  name: string,
  metadata: Readonly<Record<string, string>>,
): Promise<string> {
  const { UploadId = "" } = await s3.call(`object ${name}`, (client, sdk) =>
    client.send(
      new sdk.CreateMultipartUploadCommand({
        ...targetOf(s3.location, name),
        ChecksumAlgorithm: "SHA256",
        Metadata: metadata,
      }),
    ),
  );
  return UploadId;
}

async function sendPart(
  s3: S3,
  name: string,
  id: string,
  number: number,
  bytes: Uint8Array,
): Promise<CompletedPart> {
  const digest = sha256(bytes);
  const checksum = base64Of(digest);
  const { ETag = "" } = await s3.call(`part ${number} of object ${name}`, (client, sdk) => {
    const command = new sdk.UploadPartCommand({
      ...targetOf(s3.location, name),
      UploadId: id,
      PartNumber: number,
      Body: bytes,
      ContentLength: bytes.byteLength,
      ChecksumSHA256: checksum,
    });
    signBody(command, digest);
    return client.send(command);
  });
  return { PartNumber: number, ETag, ChecksumSHA256: checksum };
}

/**
 * Makes an upload the object of its name, where none is: the instant at which it can be seen.
 *
 * @returns `gone` when the server knows the upload no more: it was completed, and the answer was lost, or abandoned.
 */
export function complete(
  s3: S3,
  { name, id, parts }: Upload,
): Promise<"stored" | "gone" | Refusal> {
  return s3.call(`object ${name}`, (client, sdk) => {
    const command = new sdk.CompleteMultipartUploadCommand({
      ...targetOf(s3.location, name),
      UploadId: id,
      MultipartUpload: { Parts: [...parts] },
      IfNoneMatch: "*",
    });
    return client.send(command).then(
      () => "stored" as const,
      (error: unknown) => (errorName(error) === "NoSuchUpload" ? "gone" : refusalOf(error)),
    );
  });
}

/** Gives up an upload. Whatever hinders it now, the sweep comes back to it. */
export async function abandon(s3: S3, { name, id }: Pick<Upload, "name" | "id">): Promise<void> {
  const request = { ...targetOf(s3.location, name), UploadId: id };
  await s3
    .call(`object ${name}`, (client, sdk) =>
      client.send(new sdk.AbortMultipartUploadCommand(request)),
    )
    .catch(() => undefined);
}

/** Keeps the digest of an upload beside it. @param token the upload's own: no other writer has this place. */
export async function putDigest(
  s3: S3,
  name: string,
  token: string,
  digest: string,
): Promise<void> {
  const target = digestTargetOf(s3.location, name, token);
  await s3.call(`the digest of object ${name}`, (client, sdk) =>
    client.send(new sdk.PutObjectCommand({ ...target, Body: digest })),
  );
}

export const newToken = (): string => randomUUID();

function tooLarge(name: string, { partsMax }: UploadLimits): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "OBJECT_TOO_LARGE",
    `object ${name} has more than ${partsMax} parts, which is all that S3 takes: store it as several objects`,
  );
}
