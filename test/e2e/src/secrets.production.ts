import { writeFileSync } from "node:fs";
import { test } from "node:test";
import {
  kafkaForTests,
  mongoForTests,
  newBucket,
  type RunningKafka,
  s3ForTests,
} from "@heddle/servers";
import { type TemporaryFolder, temporaryFolder } from "@heddle/testkit";
import { assertKept, secret, toldByHost } from "./fixtures/told.ts";

const kafka = await kafkaForTests();
const mongo = await mongoForTests();
const s3 = await s3ForTests();

/** A server that refuses who we say we are, and what has to be told of it. */
interface Refusing {
  readonly server: string;
  readonly skip: string | false;
  readonly environment: (folder: TemporaryFolder) => Promise<Readonly<Record<string, string>>>;
  readonly told: RegExp;
}

const refusing: readonly Refusing[] = [
  {
    server: "Kafka",
    skip: kafka.skip || (kafka.running === undefined && "needs a Kafka of ours"),
    environment: async (folder) => {
      const passwordFile = folder.file("password");
      writeFileSync(passwordFile, `${secret}\n`);
      const { strangerUrl } = kafka.running as RunningKafka;
      return {
        HEDDLE_LOG_URL: `${strangerUrl}/secrets.?replicas=1&minInSyncReplicas=1`,
        ...{ HEDDLE_LOG_USER: "heddle", HEDDLE_LOG_PASSWORD_FILE: passwordFile },
      };
    },
    told: /event log: LOG_FORBIDDEN: .*check user and password/,
  },
  {
    // The stand-in knows no users: it does not understand who we say we are.
    server: "MongoDB",
    skip: mongo.skip,
    environment: async () => {
      const user = `heddle:${encodeURIComponent(secret)}@`;
      return { HEDDLE_STORE_URL: `${mongo.url.replace("//", `//${user}`)}/secrets` };
    },
    told: /document store: STORE_[A-Z_]+: the document store [\d.:]+\/secrets/,
  },
  {
    server: "S3",
    skip: s3.skip,
    environment: async (folder) => {
      const bucket = await newBucket(s3);
      return {
        HEDDLE_OBJECTS_URL: bucket.url("x", { cache: folder.file("copies") }),
        AWS_SECRET_ACCESS_KEY: secret,
      };
    },
    told: /object store: OBJECTS_CREDENTIALS: .*refuses our credentials/,
  },
];

for (const { server, skip, environment, told } of refusing) {
  test(
    `a host that ${server} refuses says so with the remedy, and shows its password to nobody`,
    { skip, timeout: 120_000 },
    async () => {
      using folder = temporaryFolder("secrets");
      assertKept(await toldByHost(folder, await environment(folder)), [told]);
    },
  );
}
