import { join } from "node:path";
import { present } from "@heddle/base";
import { temporaryFolder } from "@heddle/testkit";
import type { BenchOptions } from "../main.ts";
import type { Row } from "../row.ts";
import { measured } from "../summarise.ts";
import { budgeted, type Budgets } from "./budgets.ts";
import { cloneInto, newcomers } from "./clone.ts";
import { bytesOfAll, diskBytes, type Installed, packagesIn } from "./sizes.ts";
import { runTimed, type Timed } from "./timed.ts";

const full = { rounds: 3, flags: [] as readonly string[] };
const small = { rounds: 1, flags: ["--small"] };
const helpRounds = 5;
/** Of the packages, those that are named. */
const largest = 6;
const [mebibyte, gibibyte] = [2 ** 20, 2 ** 30];

/** Of the README's first command, in a fresh clone. */
export const firstRunBudgets = {
  "npm start, cold": { atMost: 180, unit: "s" },
  "npm start, cold: CPU": { atMost: 330, unit: "CPU-s" },
  "npm start, cold: peak memory": { atMost: 2, unit: "GiB" },
  "npm start, warm": { atMost: 150, unit: "s" },
  "npm start, finished": { atMost: 15, unit: "s" },
  installing: { atMost: 60, unit: "s" },
  "npx heddle --help": { atMost: 1_000, unit: "ms" },
  "installed to run": { atMost: 600, unit: "MiB" },
  "installed to run: packages": { atMost: 200, unit: "packages" },
  "kept by Node of what it compiled": { atMost: 50, unit: "MiB" },
} satisfies Budgets;

/** Of the small part of the data, with which `--quick` stands in for the whole. */
const smallRunBudgets = {
  "npm start -- --small, cold": { atMost: 90, unit: "s" },
  "npm start -- --small, cold: CPU": { atMost: 90, unit: "CPU-s" },
  "npm start -- --small, cold: peak memory": { atMost: 1.5, unit: "GiB" },
  "npm start -- --small, warm": { atMost: 60, unit: "s" },
  "npm start -- --small, finished": { atMost: 15, unit: "s" },
} satisfies Budgets;
const budgets: Budgets = { ...firstRunBudgets, ...smallRunBudgets };

/** One clone: its first `npm start`, one that begins anew, and one that finds all done. */
interface Round {
  readonly cold: Timed;
  readonly warm: Timed;
  readonly finished: Timed;
  readonly help: readonly Timed[];
  readonly sizes: Sizes;
}

/** `npm start` in fresh clones: with nothing installed, again from the first event on, and again with nothing to do. */
export async function firstRunRows({
  quick,
  say,
  environment,
}: BenchOptions): Promise<readonly Row[]> {
  const { rounds, flags } = quick ? small : full;
  const done: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    using folder = temporaryFolder("bench-start");
    const cwd = cloneInto(folder.path, say);
    const place = { cwd, environment: newcomers(environment) };
    const start = async (...more: readonly string[]): Promise<Timed> => {
      const command = ["npm", "start", "--silent", "--", "--json", "--quiet", ...flags, ...more];
      const timed = await runTimed(command, place);
      say(`round ${round + 1}: npm start ${more.join(" ")} took ${timed.wallSeconds.toFixed(1)} s`);
      return timed;
    };
    const cold = await start();
    const warm = await start("--fresh");
    const finished = await start();
    const help: Timed[] = [];
    while (help.length < helpRounds) help.push(await runTimed(["npx", "heddle", "--help"], place));
    done.push({ cold, warm, finished, help, sizes: sizesIn(cwd) });
  }
  return rowsOf(done, ["npm start", ...flags].join(" -- "));
}

interface Sizes {
  readonly packages: readonly Installed[];
  readonly compiledBytes: number;
  readonly stateBytes: number;
}

const sizesIn = (clone: string): Sizes => ({
  packages: packagesIn(join(clone, "node_modules")),
  compiledBytes: diskBytes(join(clone, "node_modules/.cache/compiled")),
  stateBytes: diskBytes(join(clone, ".heddle")),
});

function rowsOf(done: readonly Round[], what: string): readonly Row[] {
  const of = (take: (round: Round) => number): number[] => done.map(take);
  const row = (measure: string, take: (round: Round) => number): Row =>
    budgeted(budgets, measure, of(take));
  const help = done.flatMap((round) => round.help);
  const inMebibytes = (bytes: number): number => bytes / mebibyte;
  return [
    row(`${what}, cold`, ({ cold }) => cold.wallSeconds),
    row("installing", ({ cold }) => installedSeconds(cold)),
    row(`${what}, cold: CPU`, ({ cold }) => cold.cpuSeconds),
    row(`${what}, cold: peak memory`, ({ cold }) => peakBytes(cold) / gibibyte),
    row(`${what}, warm`, ({ warm }) => warm.wallSeconds),
    measured(
      `${what}, warm: CPU`,
      "CPU-s",
      of(({ warm }) => warm.cpuSeconds),
    ),
    row(`${what}, finished`, ({ finished }) => finished.wallSeconds),
    budgeted(
      budgets,
      "npx heddle --help",
      help.map(({ wallSeconds }) => wallSeconds * 1_000),
    ),
    row("installed to run", ({ sizes }) => inMebibytes(bytesOfAll(sizes.packages))),
    row("installed to run: packages", ({ sizes }) => sizes.packages.length),
    ...largestOf(done).map(({ name, bytes }) =>
      measured(`of it ${name}`, "MiB", [inMebibytes(bytes)]),
    ),
    row("kept by Node of what it compiled", ({ sizes }) => inMebibytes(sizes.compiledBytes)),
    measured(
      `${what}: state folder`,
      "MiB",
      of(({ sizes }) => inMebibytes(sizes.stateBytes)),
    ),
  ];
}

/** They are the same in each clone. */
const largestOf = (done: readonly Round[]): readonly Installed[] =>
  present(done[0], "a round").sizes.packages.slice(0, largest);

const installedSeconds = ({ stderr }: Timed): number =>
  Number(/installed in (\d+) s/.exec(stderr)?.[1]);

const peakBytes = ({ stdout }: Timed): number =>
  (JSON.parse(stdout) as { readonly peakMemoryBytes: number }).peakMemoryBytes;
