// `npm test`: the checks, then the stories and faults that start real processes. No servers, no network.
import { staticSteps, unitStep } from "./check.ts";
import { runSteps } from "./steps.ts";

const passed = await runSteps([
  ...staticSteps,
  unitStep,
  {
    name: "end-to-end and fault tests",
    program: "node",
    args: ["--test", "--test-concurrency=1", "--test-timeout=400000", "test/**/*.test.ts"],
    live: true,
  },
]);
console.log(passed ? "\nall checks passed" : "\nsome checks failed: see ✗ above");
process.exitCode = passed ? 0 : 1;
