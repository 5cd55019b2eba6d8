import assert from "node:assert/strict";
import { execFileSync, type ExecException } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import type { Lane } from "./steps.ts";

/** What a run of these phases prints, line by line, and whether it passed. */
function outcomeOf(...phases: readonly (readonly Lane[])[]) {
  const steps = JSON.stringify(join(import.meta.dirname, "steps.ts"));
  const script = `import { runSteps } from ${steps};
    process.exitCode = (await runSteps(...${JSON.stringify(phases)})) ? 0 : 1;`;
  const args = ["--input-type=module", "-e", script];
  try {
    return { passed: true, lines: linesOf(execFileSync(process.execPath, args)) };
  } catch (error) {
    return { passed: false, lines: linesOf((error as ExecException).stdout ?? "") };
  }
}

const linesOf = (text: string | Buffer): string[] =>
  text
    .toString()
    .trimEnd()
    .replace(/ \([\d.]+ s\)/g, "")
    .split("\n");

const step = (name: string, code = 0) => ({
  name,
  program: "node",
  args: ["-e", `console.log("${name} says"); process.exitCode = ${code}`],
});

test("phases follow each other, and what passes is one line", () => {
  const { passed, lines } = outcomeOf([[step("a"), step("b")]], [[step("c")]]);
  assert.equal(passed, true);
  assert.deepEqual(lines, ["✓ a", "✓ b", "✓ c"]);
});

test("after a failure the other steps still run, and the last lines name it", () => {
  const { passed, lines } = outcomeOf([[step("bad", 3), step("after")]], [[step("next")]]);
  assert.equal(passed, false);
  assert.deepEqual(lines, [
    "bad says",
    "✗ bad",
    "✓ after",
    "✓ next",
    "! bad: ended with 3; its last words:",
    "bad says",
  ]);
});
