import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { built } from "./cache.ts";
import { goProgram } from "./go-program.ts";
import { serverForTests, type TestServer } from "./for-tests.ts";
import { type RunningServer, type ServerStart, startServer } from "./running.ts";

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
}

/** Versity's S3 gateway over a folder: multipart uploads, checksums, conditional writes and ranges are right in it. */
export async function startS3(folder: string, options: S3Options = {}): Promise<RunningServer> {
  const programs = await built(s3Recipe);
  const [data, beside] = [join(folder, "data"), join(folder, "beside")];
  for (const each of [data, beside]) mkdirSync(each, { recursive: true });
  return await startServer({
    name: `versitygw ${version}`,
    ...(options.ports === undefined ? {} : { ports: options.ports }),
    command: ([port]) => ({
      program: join(programs, "versitygw"),
      args: [
        ...["--port", `127.0.0.1:${port}`, "--quiet", "--keep-alive"],
        ...(options.readOnly === true ? ["--readonly"] : []),
        // Metadata beside the data: not every file system of a test machine has extended attributes.
        ...["posix", "--sidecar", beside, data],
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
