// Runs test files, and says at the end what failed and how.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { TestFailure } from "./test-failures.ts";

/** Runs Node with these arguments, its output shown. @returns its exit code. */
export type RunNode = (args: readonly string[]) => Promise<number>;

const reporter = join(import.meta.dirname, "test-failures.ts");

/**
 * A test that fails, fails. A file that fails although none of its tests did is run once more: native code that it loaded may have
 * crashed while its process ended, which is worth a line, but is no reason to refuse a change.
 *
 * @param options of `node --test`.
 * @returns a line for each thing that failed, and whether that counts.
 */
export async function runTests(
  run: RunNode,
  options: readonly string[],
  files: readonly string[],
): Promise<{ readonly passed: boolean; readonly lines: readonly string[] }> {
  const first = await runOnce(run, options, files);
  const { code, failures } = first;
  if (code === 0) return { passed: true, lines: [] };
  const lines = failures.map(lineOf);
  if (failures.length === 0) return { passed: false, lines: [`node --test ended with ${code}`] };
  if (!failures.every(({ test, othersPassed }) => test === undefined && othersPassed)) {
    return { passed: false, lines };
  }
  const again = await runOnce(run, options, [...new Set(failures.map(({ file }) => file))]);
  const verdict = again.code === 0 ? "run again, and passed" : "run again, and failed again";
  return { passed: again.code === 0, lines: [...lines, verdict, ...again.failures.map(lineOf)] };
}

async function runOnce(run: RunNode, options: readonly string[], files: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "heddle-tests-"));
  try {
    const report = join(folder, "failures.json");
    const reporters = [
      ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
      ...[`--test-reporter=${reporter}`, `--test-reporter-destination=${report}`],
    ];
    const code = await run(["--test", ...reporters, ...options, ...files]);
    return { code, failures: code === 0 ? [] : failuresIn(report) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function failuresIn(report: string): readonly TestFailure[] {
  const text = readFileSync(report, "utf8");
  return text === "" ? [] : (JSON.parse(text) as TestFailure[]);
}

function lineOf({ file, test, why, othersPassed }: TestFailure): string {
  const place = relative(process.cwd(), file);
  const what = test === undefined ? "the file" : `"${test}"`;
  return `${place}: ${what} ${test === undefined ? "" : "failed: "}${why}${othersPassed ? " (none of its tests failed)" : ""}`;
}
