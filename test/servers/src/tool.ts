import { spawn } from "node:child_process";
import { Unavailable } from "./unavailable.ts";

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What to install when the program is not there, e.g. `Go 1.26 or newer`. */
  readonly remedy: string;
}

const saidCharactersMax = 4_000;
/** How Go, Maven, npm and pip say that they reached nobody. */
const unreachable =
  /no such host|dial tcp|i\/o timeout|unknown host|could not transfer|connection (refused|reset|timed out)|temporary failure in name resolution|ENOTFOUND|network is unreachable/i;

/**
 * Runs a program of the machine to its end, at low priority: a build should not take the core from tests beside it.
 *
 * @returns what it printed.
 * @throws {Unavailable} when the program is not there or the network is not: neither says anything about the project.
 */
export async function runTool(
  program: string,
  args: readonly string[],
  options: ToolOptions,
): Promise<string> {
  const { cwd, env = {}, remedy } = options;
  const child = spawn("nice", ["-n", "10", program, ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code === 0) return said;
  // As `nice` and the shells say it.
  if (code === 127) throw new Unavailable(`${program} is not on the PATH: install ${remedy}`);
  const last = said.trim().slice(-saidCharactersMax);
  const command = [program, ...args].join(" ");
  if (unreachable.test(last)) {
    throw new Unavailable(`${command} did not reach its registry: ${last.split("\n").at(-1)}`);
  }
  throw new Error(`${command} ended with ${code}:\n${last}`);
}
