import type { S3 } from "./client.ts";
import { find } from "./find.ts";
import { digestOwnerOf, keyOf, nameOf } from "./keys.ts";
import { abandon } from "./writing/upload.ts";

/**
 * Removes uploads that were begun before a time and not completed, with the digests that were to go with them: what dead writers left,
 * which costs money and can be seen by nobody.
 */
export async function sweepUploads(s3: S3, before: number): Promise<void> {
  const names = new Set<string>();
  for await (const { key, id } of uploadsBefore(s3, before)) {
    const name = nameOf(s3.location, key);
    if (name === undefined) continue;
    await abandon(s3, { name, id });
    names.add(name);
  }
  for (const name of names) await sweepDigests(s3, name, before);
}

async function* uploadsBefore(
  s3: S3,
  before: number,
): AsyncGenerator<{ readonly key: string; readonly id: string }> {
  const { bucket, prefix } = s3.location;
  let marker: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (;;) {
    const page = await s3.call(`unfinished uploads`, (client, sdk) =>
      client.send(
        new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...marker }),
      ),
    );
    for (const { Key: key, UploadId: id, Initiated } of page.Uploads ?? []) {
      if (key === undefined || id === undefined || Initiated === undefined) continue;
      if (Initiated.getTime() < before) yield { key, id };
    }
    if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return;
    marker = {
      KeyMarker: page.NextKeyMarker,
      ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }),
    };
  }
}

async function sweepDigests(s3: S3, name: string, before: number): Promise<void> {
  const Bucket = s3.location.bucket;
  const current = await find(s3, name);
  const page = await s3.call(`the digests of object ${name}`, (client, sdk) =>
    client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix: keyOf(s3.location, name) })),
  );
  for (const { Key = "", LastModified } of page.Contents ?? []) {
    const owner = digestOwnerOf(s3.location, Key);
    if (owner?.name !== name || owner.token === current?.token) continue;
    if (LastModified === undefined || LastModified.getTime() >= before) continue;
    await s3.call(`the digests of object ${name}`, (client, sdk) =>
      client.send(new sdk.DeleteObjectCommand({ Bucket, Key })),
    );
  }
}
