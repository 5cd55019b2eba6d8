import type { GetObjectCommandOutput, HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { objectCorrupt } from "../errors.ts";
import type { ObjectInfo } from "../port.ts";
import type { S3 } from "./client.ts";
import { errorName, statusOf } from "./errors.ts";
import { digestTargetOf, targetOf } from "./keys.ts";

/** An object as the server has it. */
export interface S3Reference extends ObjectInfo {
  /** The server's name of these very bytes. */
  readonly etag: string;
  /** Of the object that holds its digest, where that was not known when the upload began. */
  readonly token: string | undefined;
}

/** Names of an object's metadata. */
export const digestMetadata = "heddle-sha256";
export const tokenMetadata = "heddle-sha256-at";
const digestText = /^[0-9a-f]{64}$/;

/** What a name stands for, if anything. */
export async function find(s3: S3, name: string): Promise<S3Reference | undefined> {
  const target = targetOf(s3.location, name);
  const answer = await s3.call(`object ${name}`, (client, sdk) =>
    client.send(new sdk.HeadObjectCommand(target)).catch(async (error: unknown) => {
      if (statusOf(error) === undefined) throw error;
      // A refused HEAD does not say why: no such key, no such bucket and refused credentials look alike. A GET does.
      const got = await client.send(new sdk.GetObjectCommand(target)).catch(absentOrThrow);
      closeBody(got);
      return got;
    }),
  );
  return answer === undefined ? undefined : await referenceOf(s3, name, answer);
}

/** @returns undefined for an answer that there is no such key. */
export function absentOrThrow(error: unknown): undefined {
  if (errorName(error) !== "NoSuchKey") throw error;
}

export function closeBody(answer: GetObjectCommandOutput | undefined): void {
  (answer?.Body as { destroy?: () => void } | undefined)?.destroy?.();
}

/** @throws {HeddleError} DATA_LOSS OBJECT_CORRUPT when there is no record of its digest. */
export async function referenceOf(
  s3: S3,
  name: string,
  answer: HeadObjectCommandOutput | GetObjectCommandOutput,
): Promise<S3Reference> {
  const token = answer.Metadata?.[tokenMetadata];
  const known = answer.Metadata?.[digestMetadata];
  const sha256 = token === undefined ? known : await readDigest(s3, name, token);
  if (sha256 === undefined || !digestText.test(sha256)) {
    throw objectCorrupt(name, `its digest is not recorded in ${s3.place}`);
  }
  return { name, bytes: answer.ContentLength ?? 0, sha256, etag: answer.ETag ?? "", token };
}

async function readDigest(s3: S3, name: string, token: string): Promise<string | undefined> {
  const target = digestTargetOf(s3.location, name, token);
  return await s3.call(`the digest of object ${name}`, async (client, sdk) => {
    const answer = await client.send(new sdk.GetObjectCommand(target)).catch(absentOrThrow);
    return await answer?.Body?.transformToString();
  });
}

export function infoOf({ name, bytes, sha256 }: S3Reference): ObjectInfo {
  return { name, bytes, sha256 };
}
