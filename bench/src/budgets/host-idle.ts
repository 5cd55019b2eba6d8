import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { HeddleError } from "@heddle/base";
import { heddle, startHost, temporaryFolder } from "@heddle/testkit";
import type { BenchOptions } from "../main.ts";
import type { Row } from "../row.ts";
import { measured } from "../summarise.ts";
import { type Beside, budgeted, type Budgets } from "./budgets.ts";
import { type Checkout, checkoutsOf } from "./checkouts.ts";
import { programsBelow, type Stretch, type Watch, watchIdle } from "./idle.ts";
import { lengthBytes } from "./sizes.ts";

const full: Watch = { settleSeconds: 20, seconds: 20, rounds: 5 };
const small: Watch = { settleSeconds: 3, seconds: 5, rounds: 3 };
const mebibyte = 2 ** 20;

/** Of a host that serves the example's small part and is asked for nothing. */
export const hostBudgets = {
  "host: CPU": { atMost: 10, unit: "ms/s" },
  "host: wake-ups": { atMost: 150, unit: "1/s" },
  "host: memory": { atMost: 250, unit: "MiB" },
  "model server: CPU": { atMost: 10, unit: "ms/s" },
  "model server: wake-ups": { atMost: 50, unit: "1/s" },
  "model server: memory": { atMost: 280, unit: "MiB" },
  "state folder: growth": { atMost: 5, unit: "KiB/min" },
} satisfies Budgets;

/** The processes of a host, by the folder of their program. */
const processes = { cli: "host", "model-server": "model server" } as const;

/** A host with what the example left, asked for nothing, and its model server; beside it that of another checkout. */
export async function hostRows(options: BenchOptions): Promise<readonly Row[]> {
  const { quick, say } = options;
  using folder = temporaryFolder("bench-host");
  const { own, other } = checkoutsOf(options);
  await using stack = new AsyncDisposableStack();
  const host = await hostWithModel(own, folder.file("own"), stack, say);
  const beside = other && (await hostWithModel(other, folder.file("other"), stack, say));
  const hosts = [host, ...(beside === undefined ? [] : [beside])];
  const programs = hosts.flatMap(({ pid }) => programsBelow(pid));
  const watch = quick ? small : full;
  const lengths = hosts.map(({ state }) => lengthBytes(state));
  const stretches = await watchIdle(
    programs.map(({ pid }) => pid),
    watch,
  );
  const minutes = (watch.settleSeconds + watch.rounds * watch.seconds) / 60;
  const grown = hosts.map(
    ({ state }, i) => (lengthBytes(state) - (lengths[i] ?? 0)) / 1_024 / minutes,
  );
  const per = programs.length / hosts.length;
  const rows = programs.slice(0, per).flatMap(({ app }, i) => {
    const name = processes[app as keyof typeof processes];
    const before = other && { name: other.name, stretches: stretches[per + i] ?? [] };
    return idleRows(hostBudgets, name, stretches[i] ?? [], before);
  });
  const [ownGrowth = Number.NaN, otherGrowth = Number.NaN] = grown;
  const otherGrown = other && { name: other.name, values: [otherGrowth] };
  return [...rows, budgeted(hostBudgets, "state folder: growth", [ownGrowth], otherGrown)];
}

/** Rows of one idle process. */
export function idleRows(
  budgets: Budgets,
  name: string,
  stretches: readonly Stretch[],
  before?: { readonly name: string; readonly stretches: readonly Stretch[] },
): readonly Row[] {
  const row = (measure: string, of: (stretch: Stretch) => number): Row => {
    const beside: Beside | undefined = before && {
      name: before.name,
      values: before.stretches.map(of),
    };
    return budgeted(budgets, `${name}: ${measure}`, stretches.map(of), beside);
  };
  return [
    row("CPU", ({ cpuMsPerSecond }) => cpuMsPerSecond),
    row("wake-ups", ({ wakesPerSecond }) => wakesPerSecond),
    row("memory", ({ memoryBytes }) => memoryBytes / mebibyte),
    measured(
      `${name}: of it in no file`,
      "MiB",
      stretches.map(({ anonymousBytes }) => anonymousBytes / mebibyte),
    ),
  ];
}

interface Host {
  readonly pid: number;
  /** Its folder of state. */
  readonly state: string;
}

async function hostWithModel(
  { name, root: checkout }: Checkout,
  cwd: string,
  stack: AsyncDisposableStack,
  say: (text: string) => void,
): Promise<Host> {
  mkdirSync(cwd);
  say(`${name} trains the example's small part`);
  const options = { cwd, checkout };
  const { code, stderr } = await heddle(["demo", "grocer", "--small", "--quiet"], options);
  if (code !== 0) throw new HeddleError("INTERNAL", "COMMAND_FAILED", `heddle demo: ${stderr}`);
  const { pid } = stack.use(await startHost(options));
  return { pid, state: join(cwd, ".heddle") };
}
