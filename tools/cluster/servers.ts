import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  startJaeger,
  startKafka,
  startMongo,
  startPrometheus,
  startS3,
  testCredentials,
  Unavailable,
} from "../../test/servers/src/index.ts";

/** The servers of a cluster, and how a service names them in its settings. */
export interface Servers {
  readonly settings: {
    readonly storeUrl: string;
    readonly logUrl: string;
    readonly objects: string;
  };
  /** Where services, jobs and commands send spans and metrics; absent where there is no Jaeger, and files have them. */
  readonly otlpEndpoint?: string;
  /** Credentials, as the S3 client looks for them. */
  readonly environment: Readonly<Record<string, string>>;
  /** What runs and where, for whoever reads the terminal. */
  readonly lines: readonly string[];
}

const bucket = "heddle";

/**
 * Starts Kafka, a stand-in of MongoDB and S3, and what shows traces and metrics, where this machine has it.
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
  const watching = await startWatching(place, stack);
  return {
    ...(watching.otlpEndpoint !== undefined && { otlpEndpoint: watching.otlpEndpoint }),
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
      ...watching.lines,
    ],
  };
}

/** Jaeger, which takes spans and metrics, and Prometheus, which asks it for the metrics. Without them the cluster does its work all the same. */
async function startWatching(
  place: (name: string) => string,
  stack: AsyncDisposableStack,
): Promise<{ readonly otlpEndpoint?: string; readonly lines: readonly string[] }> {
  const jaeger = await unlessUnavailable(startJaeger(place("jaeger")));
  if (jaeger instanceof Unavailable) {
    return { lines: [`Jaeger              none, traces lie in files: ${jaeger.message}`] };
  }
  stack.use(jaeger);
  const { url, otlpEndpoint, metrics } = jaeger;
  const prometheus = await unlessUnavailable(startPrometheus(place("prometheus"), [metrics]));
  if (!(prometheus instanceof Unavailable)) stack.use(prometheus);
  return {
    otlpEndpoint,
    lines: [
      `Jaeger              ${url}/api/traces?service=scheduler, takes OTLP at ${otlpEndpoint}`,
      prometheus instanceof Unavailable
        ? `Prometheus          none, metrics are at http://${metrics}/metrics: ${prometheus.message}`
        : `Prometheus          ${prometheus.url}`,
    ],
  };
}

async function unlessUnavailable<T>(starting: Promise<T>): Promise<T | Unavailable> {
  try {
    return await starting;
  } catch (error) {
    if (error instanceof Unavailable) return error;
    throw error;
  }
}
