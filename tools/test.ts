// `npm test [-- OPTIONS]`: the checks, then the stories and faults that start real processes. No servers, no network. Options go to
// `node --test`, such as `--test-randomize`.
import { staticLane, unitStep } from "./check.ts";
import { runSteps, type TestStep } from "./steps/steps.ts";

const storyStep: TestStep = {
  name: "end-to-end and fault tests",
  options: ["--test-concurrency=1", "--test-timeout=400000"],
  tests: ["test/**/*.test.ts"],
};
const options = process.argv.slice(2);
const withOptions = (step: TestStep): TestStep => ({
  ...step,
  options: [...step.options, ...options],
});
// The stories wait a lot, for processes that start and leases that end: the checks use the core that they leave idle.
const passed = await runSteps([[withOptions(storyStep)], staticLane], [[withOptions(unitStep)]]);
console.log(passed ? "\nall checks passed" : "\nsome checks failed: see ! and ✗ above");
process.exitCode = passed ? 0 : 1;
