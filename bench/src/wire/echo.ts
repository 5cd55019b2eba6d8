import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { messageOf } from "@heddle/base";
import type { TemporaryFolder } from "@heddle/testkit";
import { openLinePeer } from "../line-peer.ts";
import type { WirePeer } from "./ways.ts";
import type { Work } from "./work.ts";

const source = join(import.meta.dirname, "../../wire");
/** The first build fetches and compiles gRPC. */
const buildMs = 300_000;

/** The same bytes by gRPC in Go, both ends in one process; or in words why not. */
export async function openEcho(
  folder: TemporaryFolder,
  { ids, values }: Work,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<WirePeer | string> {
  const program = folder.file("echo");
  try {
    const options = { cwd: source, env: environment, timeout: buildMs };
    await promisify(execFile)("go", ["build", "-o", program, "."], options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "there is no go";
    return `bench/wire/echo.go does not build: ${messageOf(error).trim().split("\n").at(-1) ?? ""}`;
  }
  const sizes = [ids.length, values.length, ids.length + values.length].map(String);
  const { ask, close } = openLinePeer("the echo in Go", program, sizes);
  return { way: async (steps) => Number(await ask(String(steps))), close };
}
