import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { HeddleError } from "@heddle/base";

/** What a command took, with every process that it started and waited for. */
export interface Timed {
  readonly wallSeconds: number;
  /** User and system time. */
  readonly cpuSeconds: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** bash knows what its children's children took, to the millisecond; it says so on a stream of its own. */
const script = `TIMEFORMAT='%R %U %S'; exec 4>&2; { time "$@" 2>&4; } 2>&3`;
/** Of what a command that failed said. */
const linesMax = 15;

/**
 * Runs a command to its end.
 *
 * @throws {HeddleError} INTERNAL COMMAND_FAILED with its last lines when its exit code is not 0.
 */
export async function runTimed(
  command: readonly string[],
  { cwd, environment }: Surroundings,
): Promise<Timed> {
  const child = spawn("bash", ["-c", script, "bash", ...command], {
    cwd,
    env: { ...environment },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const [stdout, stderr, times, code] = await Promise.all([
    text(child.stdio[1] as Readable),
    text(child.stdio[2] as Readable),
    text(child.stdio[3] as Readable),
    ended,
  ]);
  if (code !== 0) {
    const said = `${stdout}\n${stderr}`.trimEnd().split("\n").slice(-linesMax).join("\n");
    const what = `${command.join(" ")} in ${cwd} ended with code ${code}:\n${said}`;
    throw new HeddleError("INTERNAL", "COMMAND_FAILED", what);
  }
  // Some languages write a comma.
  const [wall, user, system] = times.replaceAll(",", ".").trim().split(" ").map(Number);
  return {
    wallSeconds: wall ?? Number.NaN,
    cpuSeconds: (user ?? Number.NaN) + (system ?? Number.NaN),
    stdout,
    stderr,
  };
}
