// `npm run test:production [-- FILES]`: what the production backends promise, on real servers. It says which were used and what was skipped.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { buildAll, builds, notesVariable, type ServerNote } from "../test/servers/src/index.ts";
import { runSteps, type TestStep } from "./steps/steps.ts";

const step: TestStep = {
  name: "tests on real servers",
  // For files named on the command line a server is built within the first one that needs it, which may take minutes.
  options: ["--test-concurrency=1", "--test-timeout=1800000"],
  tests: ["{libs,apps,test}/**/*.production.ts"],
};

/** What was used and skipped, a line each. */
export function summaryOf(notes: readonly ServerNote[]): readonly string[] {
  const used = new Set(
    notes.flatMap((each) => (each.used === undefined ? [] : `${each.server}: ${each.used}`)),
  );
  const skipped = notes.filter((each) => each.skipped !== undefined);
  return [
    ...[...used].sort().map((line) => `used ${line}`),
    ...skipped.map((each) => `skipped ${relative(process.cwd(), each.file)}: ${each.skipped}`),
  ];
}

function readNotes(file: string): readonly ServerNote[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as ServerNote);
}

if (import.meta.main) {
  const files = process.argv.slice(2);
  const folder = mkdtempSync(join(tmpdir(), "heddle-production-"));
  try {
    const notes = join(folder, "notes");
    process.env[notesVariable] = notes;
    if (files.length === 0) await buildAll(builds, console.log);
    const passed = await runSteps([[files.length === 0 ? step : { ...step, tests: files }]]);
    console.log(`\n${summaryOf(readNotes(notes)).join("\n")}`);
    console.log(passed ? "all that ran passed" : "something failed: see ! and ✗ above");
    process.exitCode = passed ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
