import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { built } from "../cache.ts";
import { goProgram } from "./go-program.ts";
import { serverForTests, type TestServer } from "../for-tests.ts";
import { type RunningServer, type ServerStart, startServer } from "../running.ts";
import { runTool } from "../tool.ts";

const version = "1.8.0";
export const s3Recipe = goProgram("github.com/versity/versitygw/cmd/versitygw", version);

/** The keys of the server that we start: of no value to anyone. */
export const testCredentials = {
  accessKeyId: "heddle-test",
  secretAccessKey: "heddle-test-secret",
} as const;

export interface S3Options extends Pick<ServerStart, "ports"> {
  /** Takes no writes. */
  readonly readOnly?: boolean;
  /** Knows users beside its root, which `admin` makes; what it knows of them holds at once. */
  readonly users?: boolean;
}

export interface RunningS3 extends RunningServer {
  /** Runs `versitygw admin` as root: `create-user`, `delete-user`, `create-bucket`, … */
  admin(...args: readonly string[]): Promise<string>;
}

/** Versity's S3 gateway over a folder: multipart uploads, checksums, conditional writes and ranges are right in it. */
export async function startS3(folder: string, options: S3Options = {}): Promise<RunningS3> {
  const program = join(await built(s3Recipe), "versitygw");
  const place = (name: string): string => {
    mkdirSync(join(folder, name), { recursive: true });
    return join(folder, name);
  };
  const running = await startServer({
    name: `versitygw ${version}`,
    ...(options.ports === undefined ? {} : { ports: options.ports }),
    command: ([port]) => ({
      program,
      args: [
        ...["--port", `127.0.0.1:${port}`, "--quiet", "--keep-alive"],
        ...(options.readOnly === true ? ["--readonly"] : []),
        ...(options.users === true ? ["--iam-dir", place("users"), "--iam-cache-disable"] : []),
        // Metadata beside the data: not every file system of a test machine has extended attributes.
        ...["posix", "--sidecar", place("beside"), place("data")],
      ],
      env: {
        ROOT_ACCESS_KEY: testCredentials.accessKeyId,
        ROOT_SECRET_KEY: testCredentials.secretAccessKey,
      },
    }),
    url: ([port]) => `http://127.0.0.1:${port}`,
    // It refuses us, for we do not sign: an answer of S3 all the same.
    answers: async (url) => (await (await fetch(url)).text()).includes("<Error>"),
  });
  const { accessKeyId, secretAccessKey } = testCredentials;
  const root = ["-a", accessKeyId, "-s", secretAccessKey, "--endpoint-url", running.url];
  const remedy = "Go 1.26 or newer";
  const admin = (...args: readonly string[]) =>
    runTool(program, ["admin", ...root, ...args], { remedy });
  return { ...running, admin };
}

/** The S3 of one test file: its endpoint. Sets the credentials of our server in the environment, as an SDK looks for them. */
export async function s3ForTests(): Promise<TestServer> {
  const server = await serverForTests({
    name: "S3",
    product: `versitygw ${version}`,
    variable: "HEDDLE_TEST_S3_URL",
    start: (folder) => startS3(folder),
  });
  if (server.running !== undefined) {
    process.env["AWS_ACCESS_KEY_ID"] = testCredentials.accessKeyId;
    process.env["AWS_SECRET_ACCESS_KEY"] = testCredentials.secretAccessKey;
  }
  return server;
}
