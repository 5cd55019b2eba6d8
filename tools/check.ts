// `npm run check`: everything but the tests that start whole processes. `npm run lint`: only the rules of style and layers.
import { type CheckStep, runSteps } from "./steps.ts";

/** Generated code, formats, layers, style and types. */
export const lintSteps: readonly CheckStep[] = [
  {
    name: "layers",
    program: "node",
    args: ["--test", "--test-reporter=dot", "tools/layers.test.ts"],
  },
  {
    name: "unused files, exports and dependencies (knip)",
    program: "knip",
    args: ["--no-config-hints"],
  },
  { name: "eslint", program: "eslint", args: ["--max-warnings=0", "."] },
  {
    name: "prettier",
    program: "prettier",
    args: ["--check", "--log-level=warn", "**/*.{ts,mjs,js}"],
  },
];

export const staticSteps: readonly CheckStep[] = [
  { name: "protobuf style (buf lint)", program: "buf", args: ["lint", "proto"] },
  {
    name: "contracts break nothing that landed (buf breaking)",
    program: "node",
    args: ["tools/contract.ts", "--check"],
  },
  { name: "generated code is current", program: "node", args: ["tools/generate.ts", "--check"] },
  { name: "types (tsc)", program: "tsc", args: ["-p", "."] },
  ...lintSteps,
];

export const unitStep: CheckStep = {
  name: "unit, property and contract tests",
  program: "node",
  args: [
    "--test",
    "--test-concurrency=2",
    "--test-timeout=120000",
    "tools/**/*.test.ts",
    "libs/**/*.test.ts",
    "apps/**/*.test.ts",
    "examples/**/*.test.ts",
    "bench/**/*.test.ts",
  ],
  live: true,
};

if (import.meta.main) {
  const steps = process.argv[2] === "lint" ? lintSteps : [...staticSteps, unitStep];
  process.exitCode = (await runSteps(steps)) ? 0 : 1;
}
