import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { root } from "../budgets/clone.ts";
import { clusterRows } from "../budgets/cluster-idle.ts";
import { commandRows } from "../budgets/command-start.ts";
import { type Circumstances, withFigures } from "../budgets/document.ts";
import { firstRunRows } from "../budgets/first-run.ts";
import { hostRows } from "../budgets/host-idle.ts";
import { projectRows } from "../budgets/project.ts";
import { wholeTestRows } from "../budgets/whole-tests.ts";
import { describeMachine } from "../machine.ts";
import type { Bench } from "../main.ts";
import { partsAsked } from "../parts.ts";
import type { Row } from "../row.ts";

const parts = {
  commands: commandRows,
  host: hostRows,
  cluster: clusterRows,
  project: projectRows,
  start: firstRunRows,
  test: wholeTestRows,
};

export const bench: Bench = {
  about: `what Heddle may take of time, disk and memory; all, or --part=${Object.keys(parts).join("|")}; --into=docs/budgets.md writes the page's figures`,
  failsWhenMissed: true,
  run: async (options) => {
    const { into } = options.args;
    const rows: Row[] = [];
    for (const [part, rowsOf] of partsAsked("budgets", parts, options)) {
      const [loadBefore = 0] = loadavg();
      const own = await rowsOf(options);
      if (into !== undefined) writeFigures(join(root, into), part, own, loadBefore);
      rows.push(...own);
    }
    return rows;
  },
};

function writeFigures(file: string, part: string, rows: readonly Row[], loadBefore: number): void {
  const page = readFileSync(file, "utf8");
  writeFileSync(file, withFigures(page, part, rows, circumstances(loadBefore)));
}

function circumstances(loadBefore: number): Circumstances {
  const { processor, cores, memoryBytes, node, time } = describeMachine();
  const memory = Math.round(Number(memoryBytes) / 2 ** 30);
  return {
    day: String(time).slice(0, 10),
    machine: `${cores} cores of ${processor}, ${memory} GiB, Node ${node}; load ${loadBefore.toFixed(1)} before it began`,
    commit: execFileSync("git", ["-C", root, "rev-parse", "--short", "HEAD"], {
      encoding: "utf8",
    }).trim(),
  };
}
