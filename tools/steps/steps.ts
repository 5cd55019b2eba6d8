// Runs the steps of a check; each prints its name, how long it took, and its output when it fails.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { runTests } from "./run-tests.ts";

export interface CheckStep {
  readonly name: string;
  /** Program of node_modules/.bin, or `node`. */
  readonly program: string;
  readonly args: readonly string[];
}

/** A step of test files, whose output is shown as it comes. */
export interface TestStep {
  readonly name: string;
  /** Of `node --test`. */
  readonly options: readonly string[];
  /** Patterns. */
  readonly tests: readonly string[];
}

const root = join(import.meta.dirname, "../..");
const quietMs = 5_000;
/** What the end says of a failed check's output, which is far above by then. */
const saidMax = 1_500;

/** Steps that run one after another. */
export type Lane = readonly (CheckStep | TestStep)[];

/**
 * Runs phases one after another, the lanes of a phase side by side. All steps run, so that one look shows all that is wrong. What went
 * wrong is said once more at the very end, for who keeps only the last lines.
 *
 * @returns whether every step passed.
 */
export async function runSteps(...phases: readonly (readonly Lane[])[]): Promise<boolean> {
  const outcomes: Outcome[] = [];
  for (const lanes of phases) outcomes.push(...(await Promise.all(lanes.map(runLane))).flat());
  for (const { lines } of outcomes) for (const line of lines) console.log(`! ${line}`);
  return outcomes.every(({ passed }) => passed);
}

interface Outcome {
  readonly passed: boolean;
  /** What is to be said at the end. */
  readonly lines: readonly string[];
}

async function runLane(steps: Lane): Promise<Outcome[]> {
  const outcomes = [];
  for (const step of steps) {
    const started = performance.now();
    const outcome =
      "tests" in step
        ? await runTests((args) => runNode(step.name, args), step.options, step.tests)
        : await runCheck(step);
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    console.log(`${outcome.passed ? "✓" : "✗"} ${step.name} (${seconds} s)`);
    outcomes.push({ ...outcome, lines: outcome.lines.map((line) => `${step.name}: ${line}`) });
  }
  return outcomes;
}

async function runCheck({ name, program, args }: CheckStep): Promise<Outcome> {
  const path = program === "node" ? process.execPath : join(root, "node_modules/.bin", program);
  const { code, output } = await runCommand(name, path, args);
  if (code === 0) return { passed: true, lines: [] };
  console.log(output.trimEnd());
  const last = output.trimEnd().slice(-saidMax);
  return { passed: false, lines: [`ended with ${code}; its last words:\n${last}`] };
}

async function runNode(name: string, args: readonly string[]): Promise<number> {
  const show = (text: string): void => void process.stdout.write(text);
  return (await runCommand(name, process.execPath, args, show)).code;
}

/** A command that shows nothing for 5 seconds is said to be still at work. */
async function runCommand(
  name: string,
  path: string,
  args: readonly string[],
  show?: (text: string) => void,
): Promise<{ code: number; output: string }> {
  const child = spawn(path, args, {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const started = performance.now();
  let lastShown = started;
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (show === undefined) return;
      lastShown = performance.now();
      show(text);
    });
  }
  const timer = setInterval(() => {
    if (performance.now() - lastShown < quietMs) return;
    lastShown = performance.now();
    console.log(`  … ${name}, ${Math.round((lastShown - started) / 1_000)} s`);
  }, 1_000);
  const code = await new Promise<number>((resolve) => {
    child.once("error", () => resolve(1));
    child.once("close", (exit) => resolve(exit ?? 1));
  });
  clearInterval(timer);
  return { code, output };
}
