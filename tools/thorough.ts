// `npm run test:thorough`: every case of the tests of which `npm test` takes a sample, such as a death at each step of a training.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { casesVariable } from "../libs/testkit/src/sample.ts";
import { runSteps, type TestStep } from "./steps/steps.ts";

const root = join(import.meta.dirname, "..");

/** The test files that take a sample of their cases. */
export function sampling(): readonly string[] {
  return globSync("{libs,apps,test}/**/*.test.ts", { cwd: root, exclude: ["**/node_modules/**"] })
    .filter((file) =>
      /import \{[^}]*\bsample\b[^}]*\} from "@heddle\/testkit"/.test(
        readFileSync(join(root, file), "utf8"),
      ),
    )
    .sort();
}

if (import.meta.main) {
  process.env[casesVariable] = "all";
  const files = sampling();
  const step = (name: string, concurrency: number, tests: readonly string[]): TestStep => ({
    name,
    options: [`--test-concurrency=${concurrency}`, "--test-timeout=400000"],
    tests,
  });
  const systems = files.filter((file) => file.startsWith("test/"));
  const parts = files.filter((file) => !systems.includes(file));
  const passed = await runSteps(
    [[step("all cases of unit tests", 2, parts)]],
    [[step("all cases of end-to-end tests", 1, systems)]],
  );
  console.log(passed ? "\nall cases passed" : "\nsome cases failed: see ! and ✗ above");
  process.exitCode = passed ? 0 : 1;
}
