import { createHash } from "node:crypto";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { HeddleError } from "@heddle/base";
import { noSuchObject, objectCorrupt } from "../errors.ts";
import type { S3 } from "./client.ts";
import { s3Error } from "./errors.ts";
import { absentOrThrow, closeBody, referenceOf, type S3Reference } from "./find.ts";
import { targetOf } from "./keys.ts";

/** An object that is being read. */
export interface OpenedObject {
  readonly reference: S3Reference;
  /** Its bytes, to be taken once. @throws {HeddleError} DATA_LOSS OBJECT_CORRUPT at the end when they are not those that were stored. */
  readonly pieces: AsyncGenerator<Uint8Array>;
}

/** Connections that break one after the other without a byte in between. */
const breaksMax = 4;

/** @throws {HeddleError} NOT_FOUND NO_SUCH_OBJECT. */
export async function openObject(s3: S3, name: string, expected?: string): Promise<OpenedObject> {
  const answer = await request(s3, name, {});
  if (answer === undefined) throw noSuchObject(name);
  try {
    const reference = await referenceOf(s3, name, answer);
    checkExpected(reference, expected);
    return { reference, pieces: checked(reference, resumed(s3, reference, answer)) };
  } catch (error) {
    closeBody(answer);
    throw error;
  }
}

export function checkExpected({ name, sha256 }: S3Reference, expected: string | undefined): void {
  if (expected === undefined || expected === sha256) return;
  throw objectCorrupt(name, `${expected} was expected, ${sha256} is stored`);
}

function request(
  s3: S3,
  name: string,
  part: { readonly Range?: string; readonly IfMatch?: string },
): Promise<GetObjectCommandOutput | undefined> {
  return s3.call(`object ${name}`, (client, sdk) =>
    client
      .send(new sdk.GetObjectCommand({ ...targetOf(s3.location, name), ...part }))
      .catch(absentOrThrow),
  );
}

/** The body of an answer; when its connection breaks, the rest is asked for, of the same bytes. */
async function* resumed(
  s3: S3,
  { name, bytes, etag }: S3Reference,
  first: GetObjectCommandOutput,
): AsyncGenerator<Uint8Array> {
  let [answer, at, breaks]: [GetObjectCommandOutput, number, number] = [first, 0, 0];
  try {
    for (;;) {
      try {
        for await (const piece of (answer.Body ?? []) as AsyncIterable<Uint8Array>) {
          at += piece.byteLength;
          breaks = 0;
          yield piece;
        }
        if (at >= bytes) return;
        throw new Error("the answer ended early");
      } catch (error) {
        breaks += 1;
        if (breaks > breaksMax) throw s3Error(error, `object ${name}`, s3.place);
      }
      closeBody(answer);
      const rest = await request(s3, name, { Range: `bytes=${at}-`, IfMatch: etag });
      if (rest === undefined) throw vanished(name);
      answer = rest;
    }
  } finally {
    closeBody(answer);
  }
}

async function* checked(
  { name, bytes, sha256 }: S3Reference,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let read = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    read += piece.byteLength;
    yield piece;
  }
  const found = hash.digest("hex");
  if (found === sha256 && read === bytes) return;
  throw objectCorrupt(
    name,
    `${bytes} bytes with SHA-256 ${sha256} were stored, ${read} with ${found} are there`,
  );
}

function vanished(name: string): HeddleError {
  return new HeddleError(
    "NOT_FOUND",
    "NO_SUCH_OBJECT",
    `object ${name} was deleted while it was read`,
  );
}
