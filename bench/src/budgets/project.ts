import { statSync, writeFileSync } from "node:fs";
import { temporaryFolder } from "@heddle/testkit";
import { packSdk } from "../../../tools/pack-sdk.ts";
import type { BenchOptions } from "../main.ts";
import type { Row } from "../row.ts";
import { budgeted, type Budgets } from "./budgets.ts";
import { newcomers } from "./clone.ts";
import { bytesOfAll, packagesIn } from "./sizes.ts";
import { runTimed } from "./timed.ts";

/** As docs/guide/your-own-model.md names it. */
const types = "@tensorflow/tfjs-core@4.22.0";

/** Of what a model developer's own project installs. */
export const projectBudgets = {
  "@heddle/sdk, packed": { atMost: 60, unit: "KiB" },
  "project: node_modules": { atMost: 0.5, unit: "MiB" },
  "project: packages": { atMost: 1, unit: "packages" },
  "project: npm install": { atMost: 10, unit: "s" },
  "project with types of TensorFlow.js: node_modules": { atMost: 60, unit: "MiB" },
} satisfies Budgets;

/** A project of one's own: `@heddle/sdk` as a tarball, and then the types for a network of one's own. */
export async function projectRows({ say, environment }: BenchOptions): Promise<readonly Row[]> {
  using folder = temporaryFolder("bench-project");
  say("packing @heddle/sdk");
  const tarball = packSdk(folder.path);
  const manifest = { name: "churn", private: true, type: "module" };
  writeFileSync(folder.file("package.json"), JSON.stringify(manifest));
  const installing = async (what: string) => {
    const options = ["--save-dev", "--ignore-scripts", "--no-audit", "--no-fund"];
    const surroundings = { cwd: folder.path, environment: newcomers(environment) };
    const { wallSeconds } = await runTimed(["npm", "install", ...options, what], surroundings);
    const packages = packagesIn(folder.file("node_modules"));
    return { wallSeconds, packages: packages.length, mebibytes: bytesOfAll(packages) / 2 ** 20 };
  };
  const sdk = await installing(tarball);
  const withTypes = await installing(types);
  const row = (measure: string, value: number): Row => budgeted(projectBudgets, measure, [value]);
  return [
    row("@heddle/sdk, packed", statSync(tarball).size / 1_024),
    row("project: node_modules", sdk.mebibytes),
    row("project: packages", sdk.packages),
    row("project: npm install", sdk.wallSeconds),
    row("project with types of TensorFlow.js: node_modules", withTypes.mebibytes),
  ];
}
