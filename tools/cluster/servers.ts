import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startKafka, startMongo, startS3, testCredentials } from "../../test/servers/src/index.ts";

/** The servers of a cluster, and how a service names them in its settings. */
export interface Servers {
  readonly settings: {
    readonly storeUrl: string;
    readonly logUrl: string;
    readonly objects: string;
  };
  /** Credentials, as the S3 client looks for them. */
  readonly environment: Readonly<Record<string, string>>;
  /** What runs and where, for whoever reads the terminal. */
  readonly lines: readonly string[];
}

const bucket = "heddle";

/**
 * Starts Kafka, a stand-in of MongoDB and S3.
 *
 * @throws {Unavailable} naming what this machine lacks.
 */
export async function startServers(folder: string, stack: AsyncDisposableStack): Promise<Servers> {
  const place = (name: string): string => {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const kafka = stack.use(await startKafka(place("kafka")));
  const mongo = stack.use(await startMongo(place("mongodb")));
  const s3 = stack.use(await startS3(place("s3")));
  // A bucket of this gateway is a folder.
  mkdirSync(join(place("s3"), "data", bucket), { recursive: true });
  return {
    settings: {
      storeUrl: `${mongo.url}/heddle`,
      logUrl: `${kafka.url}?replicas=1&minInSyncReplicas=1`,
      objects: `s3://${bucket}/cluster?endpoint=${s3.url}&region=us-east-1`,
    },
    environment: {
      AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
    },
    lines: [
      `Kafka               ${kafka.url}`,
      `MongoDB (stand-in)  ${mongo.url}/heddle`,
      `S3 (versitygw)      ${s3.url}, bucket ${bucket}`,
    ],
  };
}
