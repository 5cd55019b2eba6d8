// `npm test`: the checks, then the stories and faults that start real processes. No servers, no network.
import { runStatic, unitStep } from "./check.ts";
import { type CheckStep, runSteps } from "./steps.ts";

const storyStep: CheckStep = {
  name: "end-to-end and fault tests",
  program: "node",
  args: ["--test", "--test-concurrency=1", "--test-timeout=400000", "test/**/*.test.ts"],
  live: true,
};
const checked = await runStatic();
const tested = await runSteps([unitStep, storyStep]);
const passed = checked && tested;
console.log(passed ? "\nall checks passed" : "\nsome checks failed: see ✗ above");
process.exitCode = passed ? 0 : 1;
