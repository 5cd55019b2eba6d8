import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startHost, temporaryFolder } from "@heddle/testkit";
import { anotherFirst } from "../another-first.ts";
import type { BenchOptions } from "../main.ts";
import type { Row } from "../row.ts";
import { compared, measured } from "../summarise.ts";
import { budgeted, type Budgets } from "./budgets.ts";
import { checkoutsOf } from "./checkouts.ts";
import { runTimed, type Timed } from "./timed.ts";

const roundsOf = { full: 15, quick: 3 };

/** Commands, and whether a host of their folder runs beside them. */
const commands = {
  "heddle --help": { args: ["--help"], host: false },
  "heddle doctor": { args: ["doctor"], host: false },
  "heddle runs beside a host": { args: ["runs"], host: true },
  "heddle runs alone": { args: ["runs"], host: false },
};
type Command = keyof typeof commands;
/** With none of what Node compiled before, or with all of it. */
const caches = ["cold", "warm"] as const;
type Cache = (typeof caches)[number];

/** From the call to the end; the files are in the system's memory. */
export const commandBudgets = {
  "heddle --help, cold": { atMost: 300, unit: "ms" },
  "heddle --help, warm": { atMost: 200, unit: "ms" },
  "heddle doctor, cold": { atMost: 900, unit: "ms" },
  "heddle doctor, warm": { atMost: 700, unit: "ms" },
  "heddle runs beside a host, cold": { atMost: 1_200, unit: "ms" },
  "heddle runs beside a host, warm": { atMost: 700, unit: "ms" },
  "heddle runs alone, cold": { atMost: 4_500, unit: "ms" },
  "heddle runs alone, warm": { atMost: 2_500, unit: "ms" },
} satisfies Budgets;

/** What is run in each round, and what it took. */
interface Case {
  readonly run: (round: number) => Promise<Timed>;
  readonly took: Timed[];
}
const runs = (run: Case["run"]): Case => ({ run, took: [] });

/** What commands of one checkout take, by command and cache. */
type Cases = Readonly<Record<`${Command}, ${Cache}`, Case>>;

/** How long a command takes beside Node alone, each first in another round. */
export async function commandRows(options: BenchOptions): Promise<readonly Row[]> {
  const { quick, say, environment } = options;
  const rounds = quick ? roundsOf.quick : roundsOf.full;
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(temporaryFolder("bench-commands"));
  const { own, other } = checkoutsOf(options);
  const places = { environment, stack };
  const cases = await casesOf(own.root, { ...places, folder: join(path, "own") });
  const others = other && (await casesOf(other.root, { ...places, folder: join(path, "other") }));
  const bare = runs(() => runTimed([process.execPath, "-e", "0"], { cwd: path, environment }));
  const all = [bare, ...Object.values(cases), ...Object.values(others ?? {})];
  // The first fills what Node keeps, and is not counted.
  for (let round = -1; round < rounds; round++) {
    for (const each of anotherFirst(all, round)) {
      const took = await each.run(round);
      if (round >= 0) each.took.push(took);
    }
    say(`round ${round + 1} of ${rounds}`);
  }
  const named = other && others && { name: other.name, cases: others };
  return rowsOf(cases, bare, named);
}

interface Places {
  /** Two state folders, and what Node keeps. */
  readonly folder: string;
  readonly environment: BenchOptions["environment"];
  readonly stack: AsyncDisposableStack;
}

async function casesOf(checkout: string, { folder, environment, stack }: Places): Promise<Cases> {
  const [hosted, alone] = ["hosted", "alone"].map((name) => join(folder, name)) as [string, string];
  for (const cwd of [hosted, alone]) mkdirSync(cwd, { recursive: true });
  stack.use(await startHost({ cwd: hosted, checkout }));
  const main = join(checkout, "apps/cli/src/main.ts");
  const caseOf = (name: Command, cache: Cache): Case =>
    runs((round) => {
      const { args, host } = commands[name];
      // Each has its own: what another command left is not cold.
      const kept = join(folder, "compiled", name, cache === "warm" ? "warm" : `cold ${round}`);
      return runTimed([process.execPath, main, ...args], {
        cwd: host ? hosted : alone,
        environment: { ...environment, NO_COLOR: "1", NODE_COMPILE_CACHE: kept },
      });
    });
  const all = (Object.keys(commands) as Command[]).flatMap((name) =>
    caches.map((cache) => [`${name}, ${cache}`, caseOf(name, cache)] as const),
  );
  return Object.fromEntries(all) as Cases;
}

function rowsOf(
  cases: Cases,
  bare: Case,
  other: { readonly name: string; readonly cases: Cases } | undefined,
): readonly Row[] {
  const wallMs = ({ took }: Case): number[] => took.map(({ wallSeconds }) => wallSeconds * 1_000);
  const cpuMs = ({ took }: Case): number[] => took.map(({ cpuSeconds }) => cpuSeconds * 1_000);
  const beside = (name: keyof Cases, of: (one: Case) => number[]) =>
    other === undefined
      ? { name: "Node alone", values: of(bare) }
      : { name: other.name, values: of(other.cases[name]) };
  const names = Object.keys(cases) as (keyof Cases)[];
  return [
    ...names.map((name) =>
      budgeted(commandBudgets, name, wallMs(cases[name]), beside(name, wallMs)),
    ),
    ...names.map((name) =>
      compared(`${name}: CPU`, "CPU-ms", cpuMs(cases[name]), beside(name, cpuMs)),
    ),
    measured("node -e 0", "ms", wallMs(bare)),
  ];
}
