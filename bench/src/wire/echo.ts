import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { HeddleError, messageOf } from "@heddle/base";
import type { TemporaryFolder } from "@heddle/testkit";
import type { Way } from "./ways.ts";
import type { Work } from "./work.ts";

const source = join(import.meta.dirname, "../../wire");
/** The first build fetches and compiles gRPC. */
const buildMs = 300_000;

/** The same bytes by gRPC in Go, both ends in one process; or in words why not. */
export async function openEcho(
  folder: TemporaryFolder,
  { ids, values }: Work,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly way: Way; close(): void } | string> {
  const program = folder.file("echo");
  try {
    const options = { cwd: source, env: environment, timeout: buildMs };
    await promisify(execFile)("go", ["build", "-o", program, "."], options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "there is no go";
    return `bench/wire/echo.go does not build: ${messageOf(error).split("\n").at(-1) ?? ""}`;
  }
  const sizes = [ids.length, values.length, ids.length + values.length].map(String);
  const child = spawn(program, sizes, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    way: async (steps) => {
      child.stdin.write(`${steps}\n`);
      const line = await lines.next();
      if (line.done !== true) return Number(line.value);
      throw new HeddleError("INTERNAL", "PEER_ENDED", "the echo in Go ended in the midst of it");
    },
    close: () => void child.stdin.end(),
  };
}
