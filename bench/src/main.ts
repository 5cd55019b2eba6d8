// npm run bench -- <name> [--quick] [--<key>=<value>]: prints a table and writes bench/out/<name>.json.
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HeddleError } from "@heddle/base";
import { describeMachine } from "./machine.ts";
import { printRows } from "./print.ts";
import type { Row } from "./row.ts";

/** What a file of `benches/` exports. */
export interface Bench {
  /** One line: what is measured beside what. */
  readonly about: string;
  /** Whether a goal that is missed fails the command; else it is only said. */
  readonly failsWhenMissed?: boolean;
  run(options: BenchOptions): Promise<readonly Row[]>;
}

export interface BenchOptions {
  /** Smaller, under 45 s in all, with the same measures. */
  readonly quick: boolean;
  /** Further `--key=value` arguments, by key. */
  readonly args: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Shows a line of progress. */
  say(text: string): void;
}

const folder = join(import.meta.dirname, "benches");
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".ts") && !file.includes(".test."))
  .map((file) => file.slice(0, -3));
const [name = ""] = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
const quick = process.argv.includes("--quick");
const args = Object.fromEntries(
  process.argv.flatMap((arg) => {
    const [, key, value] = /^--([^=]+)=(.*)$/.exec(arg) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value] as const];
  }),
);

if (!names.includes(name)) {
  console.error(`npm run bench -- <name> [--quick]\nbenches: ${names.join(", ")}`);
  process.exit(2);
}
const { bench } = (await import(join(folder, `${name}.ts`))) as { bench: Bench };
console.error(`${name}: ${bench.about}`);
const say = (text: string): void => console.error(`  ${text}`);
const rows = await bench
  .run({ quick, args, environment: process.env, say })
  .catch((error: unknown) => {
    if (!(error instanceof HeddleError)) throw error;
    console.error(error.message);
    process.exit(1);
  });
console.log(printRows(rows));
const out = join(import.meta.dirname, "../out");
mkdirSync(out, { recursive: true });
const file = join(out, `${name}.json`);
writeFileSync(file, JSON.stringify({ name, quick, machine: describeMachine(), rows }, null, 2));
console.error(`written to ${file}`);
if (bench.failsWhenMissed === true && rows.some(({ verdict }) => verdict === "missed")) {
  process.exitCode = 1;
}
