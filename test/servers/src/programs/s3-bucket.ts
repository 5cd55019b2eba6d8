import { randomUUID } from "node:crypto";
import { S3Client, CreateBucketCommand } from "@aws-sdk/client-s3";
import type { TestServer } from "../for-tests.ts";

export interface TestBucket {
  readonly client: S3Client;
  readonly bucket: string;
  /** Before every place of this run: a real server keeps what earlier runs left. */
  readonly prefix: string;
  /** The URL of a place in it. @param endpoint another one, such as a proxy's. */
  url(place: string, parameters?: Readonly<Record<string, string>>): string;
}

/**
 * A bucket for the tests of one file. `HEDDLE_TEST_S3_URL` may name one that exists, as `s3://bucket/prefix?endpoint=…&region=…`; on our
 * own server it is made.
 */
export async function newBucket(server: TestServer): Promise<TestBucket> {
  const given = server.url.startsWith("s3:") ? new URL(server.url) : undefined;
  const endpoint = given === undefined ? server.url : given.searchParams.get("endpoint");
  const region = given?.searchParams.get("region") ?? "us-east-1";
  const bucket = given?.host ?? "heddle-test";
  const prefix = [given?.pathname.replace(/^\//, "") ?? "", randomUUID()].filter(Boolean).join("/");
  const client = new S3Client({
    region,
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
  });
  if (server.running !== undefined) await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    client,
    bucket,
    prefix,
    url: (place, parameters = {}) => {
      const query = new URLSearchParams({
        region,
        ...(endpoint === null ? {} : { endpoint }),
        ...parameters,
      });
      return `s3://${bucket}/${prefix}/${place}?${query.toString()}`;
    },
  };
}
