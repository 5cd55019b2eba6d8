import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { temporaryFolder } from "@heddle/testkit";
import type { BenchOptions } from "../main.ts";
import type { Row } from "../row.ts";
import { skipped } from "../summarise.ts";
import type { Budgets } from "./budgets.ts";
import { root } from "./clone.ts";
import { idleRows } from "./host-idle.ts";
import { programsBelow, watchIdle } from "./idle.ts";

/** The feature engine ends when it was asked nothing for a minute. */
const watch = { settleSeconds: 70, seconds: 20, rounds: 5 };

/** Resident memory of each service, MiB: the model server has the model in it, the feature store what it ingested by. */
const memoryMax = {
  registry: 220,
  "feature-store": 320,
  evaluator: 220,
  sync: 220,
  scheduler: 220,
  "model-server": 280,
};
/** Each service alone, on real servers. */
export const clusterBudgets: Budgets = Object.fromEntries(
  Object.entries(memoryMax).flatMap(([service, atMost]) => [
    [`${service}: CPU`, { atMost: 15, unit: "ms/s" }],
    [`${service}: wake-ups`, { atMost: 60, unit: "1/s" }],
    [`${service}: memory`, { atMost, unit: "MiB" }],
  ]),
);

/** The services as `npm run cluster` starts them, after the example's small part, asked for nothing. */
export async function clusterRows({ quick, say }: BenchOptions): Promise<readonly Row[]> {
  if (quick) return [skipped("services of a cluster", "it takes minutes: leave --quick away")];
  using folder = temporaryFolder("bench-cluster");
  const args = ["tools/cluster.ts", "--small", "--keep", `--state=${folder.file("state")}`];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "exit");
  const complaints = text(child.stderr);
  try {
    if (!(await staysUp(createInterface({ input: child.stdout }), say))) {
      return [skipped("services of a cluster", await complaints)];
    }
    // What it runs beside is Kafka and the like.
    const programs = programsBelow(child.pid as number).filter(({ app }) => app in memoryMax);
    const pids = programs.map(({ pid }) => pid);
    const stretches = await watchIdle(pids, watch);
    return programs.flatMap(({ app }, i) => idleRows(clusterBudgets, app, stretches[i] ?? []));
  } finally {
    child.kill("SIGINT");
    await ended;
  }
}

/** @returns whether it got so far. */
async function staysUp(
  lines: AsyncIterable<string>,
  say: (text: string) => void,
): Promise<boolean> {
  for await (const line of lines) {
    if (line.startsWith("starting")) say(line);
    if (line.includes("all stays up until Ctrl-C")) return true;
  }
  return false;
}
