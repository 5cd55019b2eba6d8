// `npm run check`: everything but the tests that start whole processes. `npm run lint`: only the rules of style and layers.
import { type CheckStep, type Lane, runSteps, type TestStep } from "./steps/steps.ts";

/** The slowest check, on one core. */
const eslint: CheckStep = { name: "eslint", program: "eslint", args: ["--max-warnings=0", "."] };

/** Contracts, layers, style and what nobody uses. */
const lintSteps: readonly CheckStep[] = [
  { name: "protobuf style (buf lint)", program: "buf", args: ["lint", "proto"] },
  {
    name: "contracts break nothing that landed (buf breaking)",
    program: "node",
    args: ["tools/contract.ts", "--check"],
  },
  {
    name: "the contract of the event log is current",
    program: "node",
    args: ["tools/asyncapi.ts", "--check"],
  },
  {
    name: "layers, circles of imports, crowded folders",
    program: "node",
    args: [
      "--test",
      "--test-reporter=dot",
      "tools/rules/layers.test.ts",
      "tools/rules/circles.test.ts",
      "tools/rules/folders.test.ts",
    ],
  },
  {
    name: "unused files, exports and dependencies (knip)",
    program: "knip",
    args: ["--no-config-hints"],
  },
  {
    name: "prettier",
    program: "prettier",
    args: ["--check", "--log-level=warn", "**/*.{ts,mjs,js}"],
  },
];

const staticSteps: readonly CheckStep[] = [
  { name: "generated code is current", program: "node", args: ["tools/generate.ts", "--check"] },
  { name: "types (tsc)", program: "tsc", args: ["-p", "."] },
  ...lintSteps,
];

/** Everything but the tests, for one core: the quick answers first. */
export const staticLane: Lane = [...staticSteps, eslint];

export const unitStep: TestStep = {
  name: "unit, property and contract tests",
  options: ["--test-concurrency=2", "--test-timeout=120000"],
  tests: [
    "tools/**/*.test.ts",
    "libs/**/*.test.ts",
    "apps/**/*.test.ts",
    "examples/**/*.test.ts",
    "bench/**/*.test.ts",
  ],
};

if (import.meta.main) {
  const passed =
    process.argv[2] === "lint"
      ? await runSteps([[eslint], lintSteps])
      : await runSteps([[eslint], staticSteps], [[unitStep]]);
  process.exitCode = passed ? 0 : 1;
}
