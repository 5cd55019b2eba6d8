import { join } from "node:path";
import { temporaryFolder } from "@heddle/testkit";
import type { BenchOptions } from "../main.ts";
import type { Row } from "../row.ts";
import { skipped } from "../summarise.ts";
import { budgeted, type Budgets } from "./budgets.ts";
import { cloneInto, newcomers } from "./clone.ts";
import { bytesOfAll, packagesIn } from "./sizes.ts";
import { runTimed } from "./timed.ts";

/** Of the README's second command, in a fresh clone. */
export const wholeTestBudgets = {
  "npm test": { atMost: 600, unit: "s" },
  "npm test: CPU": { atMost: 1_200, unit: "CPU-s" },
  "installed to develop": { atMost: 1_050, unit: "MiB" },
  "installed to develop: packages": { atMost: 450, unit: "packages" },
} satisfies Budgets;

/** `npm test` once, with the installation that it begins with. */
export async function wholeTestRows({
  quick,
  say,
  environment,
}: BenchOptions): Promise<readonly Row[]> {
  if (quick) return [skipped("npm test", "it takes minutes: leave --quick away")];
  using folder = temporaryFolder("bench-test");
  const cwd = cloneInto(folder.path, say);
  const { wallSeconds, cpuSeconds } = await runTimed(["npm", "test"], {
    cwd,
    environment: newcomers(environment),
  });
  say(`npm test passed in ${wallSeconds.toFixed(0)} s`);
  const packages = packagesIn(join(cwd, "node_modules"));
  const mebibytes = bytesOfAll(packages) / 2 ** 20;
  return [
    budgeted(wholeTestBudgets, "npm test", [wallSeconds]),
    budgeted(wholeTestBudgets, "npm test: CPU", [cpuSeconds]),
    budgeted(wholeTestBudgets, "installed to develop", [mebibytes]),
    budgeted(wholeTestBudgets, "installed to develop: packages", [packages.length]),
  ];
}
