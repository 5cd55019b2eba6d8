// Runs the steps of a check; each prints its name, how long it took, and its output when it fails.
import { spawn } from "node:child_process";
import { join } from "node:path";

export interface CheckStep {
  readonly name: string;
  /** Program of node_modules/.bin, or `node`. */
  readonly program: string;
  readonly args: readonly string[];
  /** Show the output as it comes, not only on failure. */
  readonly live?: boolean;
}

const root = join(import.meta.dirname, "..");
const quietMs = 5_000;

/**
 * Runs lanes side by side, the steps of each one after another. All steps run, so that one look shows all that is wrong.
 *
 * @returns whether every step passed.
 */
export async function runSteps(...lanes: readonly (readonly CheckStep[])[]): Promise<boolean> {
  const passed = await Promise.all(lanes.map(runLane));
  return passed.every(Boolean);
}

async function runLane(steps: readonly CheckStep[]): Promise<boolean> {
  let passed = true;
  for (const step of steps) {
    const started = performance.now();
    const { code, output } = await runStep(step);
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    console.log(`${code === 0 ? "✓" : "✗"} ${step.name} (${seconds} s)`);
    if (code !== 0 && step.live !== true) console.log(output.trimEnd());
    passed &&= code === 0;
  }
  return passed;
}

/** A step that is silent for 5 seconds is said to be still at work. */
async function runStep(step: CheckStep): Promise<{ code: number; output: string }> {
  const { name, program, args, live = false } = step;
  const path = program === "node" ? process.execPath : join(root, "node_modules/.bin", program);
  const child = spawn(path, args, {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const started = performance.now();
  let lastOutput = started;
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (!live) return;
      lastOutput = performance.now();
      process.stdout.write(text);
    });
  }
  const timer = setInterval(() => {
    if (performance.now() - lastOutput < quietMs) return;
    lastOutput = performance.now();
    console.log(`  … ${name}, ${Math.round((lastOutput - started) / 1_000)} s`);
  }, 1_000);
  const code = await new Promise<number>((resolve) => {
    child.once("error", () => resolve(1));
    child.once("close", (exit) => resolve(exit ?? 1));
  });
  clearInterval(timer);
  return { code, output };
}
