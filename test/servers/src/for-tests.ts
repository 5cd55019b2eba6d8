import { appendFileSync } from "node:fs";
import { after } from "node:test";
import { temporaryFolder } from "@heddle/testkit";
import type { RunningServer } from "./running.ts";
import { Unavailable } from "./unavailable.ts";

/** A server as the tests of one file use it. */
export interface TestServer {
  /** Empty when it is to be skipped. */
  readonly url: string;
  /** Why the tests that need it do not run; `false` when they do. For `node:test`. */
  readonly skip: string | false;
  /** Ours; undefined when it was given by its URL, and then nobody may stop it. */
  readonly running: RunningServer | undefined;
}

export interface ServerChoice {
  /** What it is: `S3`. */
  readonly name: string;
  /** What we start: `versitygw 1.8.0`. */
  readonly product: string;
  /** Gives a real server's URL instead: `HEDDLE_TEST_S3_URL`. */
  readonly variable: string;
  readonly start: (folder: string) => Promise<RunningServer>;
}

/** One line that `npm run test:production` says at its end. */
export interface ServerNote {
  readonly file: string;
  readonly server: string;
  /** The server that was used, or undefined with the reason why none was. */
  readonly used?: string;
  readonly skipped?: string;
}

/** Names the file of notes; set by `npm run test:production`. */
export const notesVariable = "HEDDLE_SERVERS_NOTES";

/**
 * The server for the tests of one file, until they are done: the one that the variable names, else one of our own. Call it at the top
 * of the file. A server that is broken fails the file; one that cannot be had here is skipped by name.
 */
export async function serverForTests(choice: ServerChoice): Promise<TestServer> {
  const { name, product, variable, start } = choice;
  const given = process.env[variable];
  if (given !== undefined && given !== "") {
    note({ server: name, used: `the one that ${variable} names` });
    return { url: given, skip: false, running: undefined };
  }
  const folder = temporaryFolder(name.toLowerCase());
  try {
    const running = await start(folder.path);
    after(async () => {
      await running.stop();
      folder[Symbol.dispose]();
    });
    note({ server: name, used: `${product}, started for the test` });
    return { url: running.url, skip: false, running };
  } catch (error) {
    folder[Symbol.dispose]();
    if (!(error instanceof Unavailable)) throw error;
    const skip = `no ${name} (${product}): ${error.message}; or set ${variable}`;
    note({ server: name, skipped: skip });
    return { url: "", skip, running: undefined };
  }
}

/** A program as the tests of one file use it. */
export interface TestTool {
  /** Its path; empty when it is to be skipped. */
  readonly path: string;
  /** As of a `TestServer`. */
  readonly skip: string | false;
}

/**
 * A program for the tests of one file; one that cannot be had here is skipped by name.
 *
 * @param product what it is: `grpcurl 1.9.3`.
 * @param used where it comes from.
 */
export async function toolForTests(
  product: string,
  find: () => Promise<string>,
  used = "built from its sources",
): Promise<TestTool> {
  try {
    const path = await find();
    note({ server: product, used });
    return { path, skip: false };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    const skip = `no ${product}: ${error.message}`;
    note({ server: product, skipped: skip });
    return { path: "", skip };
  }
}

function note(fields: Omit<ServerNote, "file">): void {
  const file = process.env[notesVariable];
  if (file === undefined || file === "") return;
  const line: ServerNote = { file: process.argv[1] ?? "", ...fields };
  // One small write each: lines of files that run side by side do not mix.
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}
