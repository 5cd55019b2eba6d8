import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { newBucket, s3ForTests } from "@heddle/servers";
import { versionsIn } from "@heddle/test-faults";
import { heddle, temporaryFolder } from "@heddle/testkit";

const server = await s3ForTests();

test(
  "the small grocer with its objects on S3 ends with the versions that it ends with on files",
  { skip: server.skip },
  async () => {
    using onFiles = temporaryFolder("grocer-files");
    using onS3 = temporaryFolder("grocer-s3");
    const story = ["demo", "grocer", "--small", "--quiet", "--shards=2"];
    const { client, bucket, prefix, url } = await newBucket(server);
    const objectsUrl = url("grocer", { cache: onS3.file("copies") });
    const run = async (folder: string, environment: Record<string, string>) => {
      const { code, stderr } = await heddle(story, { cwd: folder, environment });
      assert.equal(code, 0, stderr);
    };
    await run(onS3.path, { HEDDLE_OBJECTS_URL: objectsUrl });
    await run(onFiles.path, {});
    assert.equal(existsSync(onS3.file(".heddle/objects")), false);
    const stored = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/grocer/` }),
    );
    const folders = new Set(stored.Contents?.map(({ Key = "" }) => Key.split("/").at(-2)));
    assert.ok(folders.size > 3, [...folders].join());
    assert.deepEqual(await versionsIn(onS3.path), await versionsIn(onFiles.path));
  },
);
