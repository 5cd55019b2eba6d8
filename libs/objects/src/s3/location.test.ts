import assert from "node:assert/strict";
import { test } from "node:test";
import { openObjects } from "../open.ts";
import { describeLocation, parseS3Location } from "./location.ts";

test("a URL names bucket, prefix, server, region and copies", () => {
  const url =
    "s3://models/team/a/?endpoint=http://127.0.0.1:9000&region=eu-west-1&cache=/var/cache/heddle&cacheBytesMax=1000";
  const location = parseS3Location(url);
  assert.deepEqual(location, {
    bucket: "models",
    prefix: "team/a/",
    endpoint: "http://127.0.0.1:9000",
    region: "eu-west-1",
    cacheFolder: "/var/cache/heddle",
    cacheBytesMax: 1000,
  });
  assert.equal(
    describeLocation(location),
    "bucket models, under team/a/, on http://127.0.0.1:9000",
  );
  const short = parseS3Location("s3://models");
  assert.deepEqual([short.prefix, short.endpoint, short.region], ["", undefined, "us-east-1"]);
  assert.equal(describeLocation(short), "bucket models on Amazon S3 (us-east-1)");
});

test("a URL that is wrong is refused with what is wrong, and is not repeated: it may hold a secret", async () => {
  const wrong: readonly (readonly [url: string, why: RegExp])[] = [
    ["s3://key:hunter2@models/a", /holds credentials/],
    ["s3://models?endpoint=http://key:hunter2@host", /endpoint is no http/],
    ["s3://models?secret=hunter2", /parameter secret is none of endpoint, region/],
    ["s3://models?endpoint=hunter2", /endpoint is no http/],
    ["s3://M/hunter2", /bucket's name/],
    ["s3://models/a%20hunter2", /prefix has parts/],
    ["s3://models/a/%2e%2e/hunter2!", /prefix has parts/],
    ["s3://models/hunter2?cacheBytesMax=much", /no number of bytes/],
    ["gs://models/hunter2", /does not begin with s3/],
    ['"s3://models/hunter2"', /does not begin with s3/],
    ["'s3://models/hunter2", /does not begin with s3/],
    ["s3:/models/hunter2", /does not begin with s3:\/\//],
  ];
  for (const [url, why] of wrong) {
    await assert.rejects(
      openObjects(url),
      (error: Error & { reason?: string }) =>
        error.reason === "OBJECTS_URL_INVALID" &&
        why.test(error.message) &&
        !error.message.includes("hunter2"),
      url,
    );
  }
});
