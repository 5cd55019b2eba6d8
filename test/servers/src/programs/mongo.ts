import { once } from "node:events";
import { readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { built, type Recipe } from "../cache.ts";
import { serverForTests, type TestServer } from "../for-tests.ts";
import { type RunningServer, type ServerStart, startServer } from "../running.ts";
import { runTool } from "../tool.ts";

const version = "1.47.0";
const product = `the stand-in mongo-java-server ${version}, which is not MongoDB`;
const recipe = join(import.meta.dirname, "../../mongo");
/** The set that our server says it is the only member of. */
const replicaSet = "heddle";
const answerMs = 2_000;

/** The stand-in, compiled. */
export const mongoRecipe: Recipe = {
  name: "mongo-java-server",
  version,
  parts: ["pom.xml", "Stub.java"].map((file) => readFileSync(join(recipe, file), "utf8")),
  build: buildStub,
};

export interface MongoServerOptions extends Pick<ServerStart, "ports"> {
  /** Is of no replica set: the store refuses it. */
  readonly standalone?: boolean;
}

/**
 * A server that speaks MongoDB's protocol and keeps everything in memory. Reads, writes, unique and partial indexes and races of
 * compare-and-set are as in MongoDB. Not so: write and read concerns are taken and mean nothing, there are no sessions, transactions,
 * users or rights, and strings are ordered by UTF-16.
 *
 * @throws {Unavailable} without Java, its compiler, Maven or the network.
 */
export async function startMongo(
  _folder: string,
  options: MongoServerOptions = {},
): Promise<RunningServer> {
  const programs = await built(mongoRecipe);
  const set = options.standalone === true ? "-" : replicaSet;
  return await startServer({
    name: product,
    ...(options.ports === undefined ? {} : { ports: options.ports }),
    command: ([port]) => ({
      program: "java",
      args: [
        ...["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"],
        // One thread for all connections: with more it sends a document while another of them changes it, half old and half new.
        "-Dio.netty.eventLoopThreads=1",
        ...["-cp", `${programs}:${join(programs, "*")}`, "Stub", String(port), set],
      ],
    }),
    url: ([port]) => `mongodb://127.0.0.1:${port}`,
    answers: (url) => pings(Number(url.slice(url.lastIndexOf(":") + 1))),
  });
}

/** The MongoDB of one test file: its URL, without a database. */
export function mongoForTests(): Promise<TestServer> {
  return serverForTests({
    name: "MongoDB",
    product,
    variable: "HEDDLE_TEST_MONGODB_URL",
    start: (folder) => startMongo(folder),
  });
}

async function buildStub(folder: string): Promise<void> {
  for (const file of ["pom.xml", "Stub.java"]) {
    await copyFile(join(recipe, file), join(folder, file));
  }
  const copy = ["dependency:copy-dependencies", `-DoutputDirectory=${folder}`];
  await runTool("mvn", ["--batch-mode", "--quiet", ...copy], {
    cwd: folder,
    remedy: "Maven 3.8 or newer",
  });
  await runTool("javac", ["-cp", join(folder, "*"), "-d", folder, join(folder, "Stub.java")], {
    remedy: "a JDK, 17 or newer",
  });
}

/** Whether MongoDB's protocol is spoken there: asks `{ ping: 1 }` of the database `admin` by an OP_MSG. */
async function pings(port: number): Promise<boolean> {
  const body = Buffer.concat([
    Buffer.from([0x10, ...Buffer.from("ping\0"), 1, 0, 0, 0]),
    Buffer.from([0x02, ...Buffer.from("$db\0"), 6, 0, 0, 0, ...Buffer.from("admin\0"), 0]),
  ]);
  // Length, request id, response to, opcode 2013; then flags, the kind of section, the document's length.
  const head = Buffer.alloc(25);
  [head.length + body.length, 1, 0, 2013, 0].forEach((n, i) => head.writeInt32LE(n, 4 * i));
  head.writeInt32LE(4 + body.length, 21);
  const socket = connect(port, "127.0.0.1");
  try {
    socket.setTimeout(answerMs, () => socket.destroy(new Error("silent")));
    socket.end(Buffer.concat([head, body]));
    const [answer] = (await once(socket, "data")) as [Buffer];
    return answer.includes("ok\0");
  } finally {
    socket.destroy();
  }
}
