import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HeddleOptions {
  readonly cwd: string;
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The checkout whose command it is; this one when absent. */
  readonly checkout?: string;
}

/** A heddle command under way, as a user's shell would start it. */
export interface RunningHeddle {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

/** Starts a heddle command from the sources; what it prints is in `finished`. */
export function startHeddle(args: readonly string[], options: HeddleOptions): RunningHeddle {
  const main = join(options.checkout ?? root, "apps/cli/src/main.ts");
  const child = spawn(process.execPath, [main, ...args], {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: "1", ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, ...output }));
  });
  return { child, finished };
}

/** Runs a heddle command to its end. */
export function heddle(args: readonly string[], options: HeddleOptions): Promise<Finished> {
  return startHeddle(args, options).finished;
}

/** Runs a heddle command that must succeed, and parses the JSON it prints. */
export async function heddleJson(
  args: readonly string[],
  options: HeddleOptions,
): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await heddle([...args, "--json"], options);
  if (code !== 0) throw new Error(`heddle ${args.join(" ")} exited ${code}: ${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** A host under way. */
export interface RunningHost extends AsyncDisposable {
  readonly pid: number;
}

/** A `heddle host` of a folder's state that answers; disposing it stops it. */
export async function startHost(options: HeddleOptions): Promise<RunningHost> {
  const { child, finished } = startHeddle(["host"], options);
  const up = new Promise<void>((resolve) => {
    let said = "";
    child.stderr?.on("data", (text: string) => {
      said += text;
      if (said.includes("heddle host on ")) resolve();
    });
  });
  const early = await Promise.race([up, finished]);
  if (early !== undefined) throw new Error(`heddle host exited ${early.code}: ${early.stderr}`);
  return {
    // It spoke, so it was started.
    pid: child.pid as number,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await finished;
    },
  };
}
