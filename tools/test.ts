// `npm test [-- OPTIONS]`: the checks, then the stories and faults that start real processes. No servers, no network. Options are of
// `node --test` for all but the stories, which are told in their order: `--test-randomize`, say.
import { staticLane, unitStep } from "./check.ts";
import { runSteps, type TestStep } from "./steps/steps.ts";

const storyStep: TestStep = {
  name: "end-to-end and fault tests",
  options: ["--test-concurrency=1", "--test-timeout=400000"],
  tests: ["test/**/*.test.ts"],
};
const units = { ...unitStep, options: [...unitStep.options, ...process.argv.slice(2)] };
// The stories wait a lot, for processes that start and leases that end: the checks use the core that they leave idle.
const passed = await runSteps([[storyStep], staticLane], [[units]]);
console.log(passed ? "\nall checks passed" : "\nsome checks failed: see ! and ✗ above");
process.exitCode = passed ? 0 : 1;
