import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { newBucket, s3ForTests } from "@heddle/servers";
import { heddle, heddleJson, startHost, temporaryFolder } from "@heddle/testkit";
import { customersProject } from "./fixtures/project.ts";

const server = await s3ForTests();

interface Outcome {
  /** Names and verdicts of all versions: equal names mean equal bytes. */
  readonly versions: readonly string[];
  readonly prediction: number;
}

/** Trains and serves a model of the churn table by the commands alone, as docs/guide/your-own-data.md has it. */
async function trainChurn(project: string, environment: Record<string, string>): Promise<Outcome> {
  const options = { cwd: project, environment };
  const run = async (...args: string[]): Promise<void> => {
    const { code, stdout, stderr } = await heddle(args, options);
    assert.equal(code, 0, `${args.join(" ")}: ${stdout}${stderr}`);
  };
  await run("init", ".", "--from", "customers.csv", "--label", "churned", "--time", "signed");
  await using _host = await startHost(options);
  await run("apply");
  await run("ingest", "churn", "customers.csv");
  await run("train", "churn");
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
