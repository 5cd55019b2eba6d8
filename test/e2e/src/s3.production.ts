import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { newBucket, s3ForTests } from "@heddle/servers";
import { heddleJson, temporaryFolder } from "@heddle/testkit";
import { customersProject, startChurn } from "./fixtures/project.ts";

const server = await s3ForTests();

interface Outcome {
  /** Names and verdicts of all versions: equal names mean equal bytes. */
  readonly versions: readonly string[];
  readonly prediction: number;
}

async function trainChurn(project: string, environment: Record<string, string>): Promise<Outcome> {
  await using host = await startChurn(project, environment);
  const { options } = host;
  const { versions } = (await heddleJson(["versions", "churn"], options)) as {
    versions: { version: string; verdict: string }[];
  };
  const row = JSON.stringify({ months: 3, plan: "basic", spend: 20 });
  const { prediction } = (await heddleJson(["predict", "churn", row], options)) as {
    prediction: number;
  };
  return { versions: versions.map(({ version, verdict }) => `${verdict} ${version}`), prediction };
}

test(
  "a training with its objects on S3 serves the model that it would have made on files",
  { skip: server.skip },
  async () => {
    using onFiles = temporaryFolder("churn-files");
    using onS3 = temporaryFolder("churn-s3");
    const { client, bucket, prefix, url } = await newBucket(server);
    const objectsUrl = url("churn", { cache: onS3.file("copies") });
    const s3Project = customersProject(onS3);
    const s3 = await trainChurn(s3Project, { HEDDLE_OBJECTS_URL: objectsUrl });
    const files = await trainChurn(customersProject(onFiles), {});
    assert.deepEqual(s3, files);
    assert.equal(existsSync(join(s3Project, ".heddle/objects")), false);
    const stored = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/churn/` }),
    );
    const kinds = new Set(
      stored.Contents?.map(({ Key = "" }) => Key.slice(prefix.length).split("/")[2]),
    );
    assert.ok(kinds.size > 3, [...kinds].join());
  },
);
