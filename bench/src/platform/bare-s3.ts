import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

/** As Heddle's. */
const partBytes = 8 << 20;
const partsAtOnce = 4;

/** What the SDK does by itself, with its own defaults: it sums each body with CRC-32 and reads none back. */
export interface BareS3 {
  put(key: string, bytes: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array>;
}

export function openBareS3(client: S3Client, Bucket: string): BareS3 {
  return {
    put: (Key, bytes) =>
      bytes.byteLength <= partBytes
        ? client.send(new PutObjectCommand({ Bucket, Key, Body: bytes })).then(() => undefined)
        : putParts(client, { Bucket, Key }, bytes),
    get: async (Key) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    },
  };
}

async function putParts(
  client: S3Client,
  target: { readonly Bucket: string; readonly Key: string },
  bytes: Uint8Array,
): Promise<void> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
  const count = Math.ceil(bytes.byteLength / partBytes);
  const parts: { PartNumber: number; ETag: string | undefined }[] = [];
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) {
      const Body = bytes.subarray(n * partBytes, (n + 1) * partBytes);
      const request = { ...target, UploadId, PartNumber: n + 1, Body };
      const { ETag } = await client.send(new UploadPartCommand(request));
      parts[n] = { PartNumber: n + 1, ETag };
    }
  };
  await Promise.all(Array.from({ length: partsAtOnce }, sender));
  const MultipartUpload = { Parts: parts };
  await client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }));
}
