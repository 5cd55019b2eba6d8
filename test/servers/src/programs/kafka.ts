import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { built, type Recipe } from "../cache.ts";
import { serverForTests, type TestServer } from "../for-tests.ts";
import { clusterIdAt } from "./kafka-cluster-id.ts";
import { kafkaProperties } from "./kafka-properties.ts";
import { type RunningServer, startServer } from "../running.ts";
import { runTool } from "../tool.ts";

/** A Kafka of one node. */
export interface RunningKafka extends RunningServer {
  /**
   * The same broker for the user `stranger`, password `stranger-secret` (PLAIN), to whom nothing is allowed, and for users of
   * SCRAM-SHA-512, where there are any: their connections have to say every 2 s who they are.
   */
  readonly strangerUrl: string;
  readonly clusterId: string;
  /** `host:port` of its controller. */
  readonly controller: string;
}

const kafkaVersion = "4.4.0";
const recipe = join(import.meta.dirname, "../../kafka/pom.xml");
const java = "Java 17 or newer";

/** Kafka and the libraries that it needs. */
export const kafkaRecipe: Recipe = {
  name: "kafka",
  version: kafkaVersion,
  parts: [readFileSync(recipe, "utf8")],
  build: async (folder) => {
    const copy = ["dependency:copy-dependencies", `-DoutputDirectory=${folder}`];
    await runTool("mvn", ["-q", "-B", "-f", recipe, ...copy], {
      remedy: `Maven 3.8 or newer, and ${java}`,
    });
  },
};

/** What a folder's Kafka keeps from start to start. */
interface Place {
  readonly clusterId: string;
  readonly ports: readonly number[];
}

/**
 * Starts Kafka in KRaft mode, broker and controller in one process. A folder that held one before keeps its ports, its cluster and its
 * records: what was killed comes back by the same call.
 *
 * @param settings further lines of `server.properties`, which win; only a new folder takes them.
 * @param joined another one, whose second broker this becomes.
 * @throws {Unavailable} without Java, Maven, or a registry that has Kafka.
 */
export async function startKafka(
  folder: string,
  settings: Readonly<Record<string, string>> = {},
  joined?: RunningKafka,
): Promise<RunningKafka> {
  const libraries = `${await built(kafkaRecipe)}/*`;
  const home = resolve(folder);
  const before = readPlace(home);
  const clusterId = before?.clusterId ?? joined?.clusterId ?? newClusterId();
  const all =
    joined === undefined
      ? settings
      : { ...settings, "node.id": "2", "controller.quorum.voters": `1@${joined.controller}` };
  const running = await startServer({
    name: `Kafka ${kafkaVersion}`,
    portCount: joined === undefined ? 3 : 2,
    ...(before === undefined ? {} : { ports: before.ports }),
    command: async (ports) => {
      const properties = join(home, "server.properties");
      if (before === undefined) await format(home, { clusterId, ports }, all, libraries);
      const main = ["-cp", libraries, "kafka.Kafka", properties];
      return { program: "java", args: [...memory, ...logging, ...main], cwd: home };
    },
    url: ([broker]) => `kafka://127.0.0.1:${broker}`,
    answers: async (url) => (await clusterIdAt(Number(new URL(url).port))) === clusterId,
  });
  const [, stranger, own] = readPlace(home)?.ports ?? [];
  const controller = joined?.controller ?? `127.0.0.1:${own}`;
  return { ...running, clusterId, controller, strangerUrl: `kafka://127.0.0.1:${stranger}` };
}

/** The Kafka that the tests of one file use: that of `HEDDLE_TEST_KAFKA_URL`, else one of our own. */
export function kafkaForTests(): Promise<TestServer> {
  return serverForTests({
    name: "Kafka",
    product: `Kafka ${kafkaVersion}`,
    variable: "HEDDLE_TEST_KAFKA_URL",
    start: (folder) => startKafka(folder),
  });
}

const memory = ["-Xmx256m", "-XX:+UseSerialGC"];
const logging = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"];

/** Kafka's tools take one that begins with a dash for an option; Kafka's own never do. */
function newClusterId(): string {
  const id = randomBytes(16).toString("base64url");
  return id.startsWith("-") ? newClusterId() : id;
}

async function format(
  home: string,
  place: Place,
  settings: Readonly<Record<string, string>>,
  libraries: string,
): Promise<void> {
  mkdirSync(home, { recursive: true });
  const properties = join(home, "server.properties");
  writeFileSync(properties, kafkaProperties(home, place.ports, settings));
  const tool = ["kafka.tools.StorageTool", "format", "-t", place.clusterId, "-c", properties];
  // A first try whose ports were taken left a folder that is formatted.
  await runTool("java", ["-Xmx128m", "-cp", libraries, ...tool, "--ignore-formatted"], {
    remedy: java,
  });
  writeFileSync(placeFile(home), JSON.stringify(place));
}

const placeFile = (home: string): string => join(home, "place.json");

function readPlace(home: string): Place | undefined {
  const file = placeFile(home);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Place) : undefined;
}
