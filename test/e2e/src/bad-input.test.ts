import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import {
  heddle,
  heddleJson,
  startHost,
  type TemporaryFolder,
  temporaryFolder,
} from "@heddle/testkit";
import { churnRows, header, writeCsv } from "./fixtures/churn.ts";

// One project on one running host; each case hands one command something wrong.
let folder: TemporaryFolder;
let host: AsyncDisposable;

const rows = churnRows(60, 3);
const run = (...args: string[]) => heddle(args, { cwd: folder.path });

before(async () => {
  folder = temporaryFolder("churn");
  writeCsv(folder.file("good.csv"), rows);
  const from = ["--from", "good.csv", "--label", "churned", "--time", "signed"];
  const init = await run("init", "project", ...from);
  assert.equal(init.code, 0, init.stderr);
  host = await startHost({ cwd: folder.path });
  const applied = await run("apply", "project");
  assert.equal(applied.code, 0, applied.stderr);
});
after(async () => {
  await host[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** The good rows with the cells of one row replaced, by column. */
function withCells(row: number, cells: Readonly<Record<string, string>>): string[] {
  const names = header.split(",");
  const changed = (rows[row] ?? "").split(",").map((cell, i) => cells[names[i] ?? ""] ?? cell);
  return rows.with(row, changed.join(","));
}

/** Writes what a case needs and returns the arguments of its command. */
type Case = readonly [
  what: string,
  args: () => string[],
  reason: string,
  /** What the message names: the thing, the place. */
  ...named: RegExp[],
];

const ingest = (name: string, text: string) => () => {
  writeFileSync(folder.file(name), text);
  return ["ingest", "project", name];
};
const csv = (lines: readonly string[], columns = header) => `${[columns, ...lines].join("\n")}\n`;
const definitions = (name: string, from: string, to: string) => () => {
  const text = readFileSync(folder.file("project", "heddle.ts"), "utf8");
  assert.ok(text.includes(from), from);
  mkdirSync(folder.file(name), { recursive: true });
  writeFileSync(folder.file(name, "heddle.ts"), text.replaceAll(from, to));
  return ["apply", name];
};
const initOn =
  (name: string, text: string, label = "churned") =>
  () => {
    writeFileSync(folder.file(name), text);
    return ["init", "other", "--from", name, "--label", label];
  };

const cases: readonly Case[] = [
  [
    "an event file with a column nobody declared",
    ingest(
      "extra.csv",
      csv(
        rows.map((row) => `${row},x`),
        `${header},colour`,
      ),
    ),
    "UNKNOWN_COLUMN",
    /extra\.csv/,
    /"?colour"?/,
  ],
  [
    "an event file without a declared column",
    ingest(
      "fewer.csv",
      csv(
        rows.map((row) => row.replace(/,\d$/, "")),
        header.replace(",churned", ""),
      ),
    ),
    "MISSING_COLUMN",
    /fewer\.csv/,
    /churned/,
  ],
  [
    "a value of the wrong type",
    ingest("type.csv", csv(withCells(6, { months: "many" }))),
    "WRONG_TYPE",
    /type\.csv/,
    /row 7/,
    /"months"/,
  ],
  [
    "a value that is not a number",
    ingest("nan.csv", csv(withCells(4, { spend: "NaN" }))),
    "NOT_A_NUMBER",
    /nan\.csv/,
    /row 5/,
    /"spend"/,
  ],
  [
    "an event from the future",
    ingest("future.csv", csv(withCells(2, { signed: "2999-01-01T00:00:00" }))),
    "FUTURE_EVENT",
    /future\.csv/,
    /row 3/,
    /"signed"/,
  ],
  ["an empty event file", ingest("empty.csv", ""), "EMPTY_FILE", /empty\.csv/],
  [
    "a truncated event file",
    ingest("cut.csv", csv(rows).slice(0, -20)),
    "UNREADABLE_FILE",
    /cut\.csv/,
  ],
  [
    "a truncated Parquet file",
    ingest("cut.parquet", "PAR1 and then nothing"),
    "UNREADABLE_FILE",
    /cut\.parquet/,
  ],
  [
    "an event file of an unknown format",
    ingest("rows.xlsx", "?"),
    "UNKNOWN_FORMAT",
    /rows\.xlsx/,
    /\.csv/,
  ],
  [
    "an event file that is not there",
    () => ["ingest", "project", "none.csv"],
    "NO_SUCH_FILE",
    /none\.csv/,
  ],
  [
    "a source nobody defined",
    () => ["ingest", "customers", "good.csv"],
    "UNKNOWN_SOURCE",
    /customers/,
    /nobody applied/,
  ],
  [
    "a feature view changed in place",
    definitions("changed", 'reason: "first features"', 'reason: "better ones"'),
    "DEFINITION_CHANGED",
    /project_columns@1/,
    /version/,
  ],
  [
    "a source changed in place",
    definitions("source", "retentionDays: 365", "retentionDays: 30"),
    "DEFINITION_CHANGED",
    /source project/,
  ],
  [
    "a configuration with an unknown key",
    definitions("key", "training: {", "training: { dropout: 0.5,"),
    "DEFINITION_INVALID",
    /model definition project/,
    /dropout/,
  ],
  [
    "a model that reads a feature nobody defined",
    definitions("input", 'value("months")', 'value("mnths")'),
    "UNKNOWN_FEATURE",
    /input months of model project/,
    /"mnths"/,
    /did you mean "months"/,
  ],
  [
    "a folder without definitions",
    () => ["apply", "."],
    "NO_DEFINITION_FILE",
    /heddle\.ts/,
    /heddle init/,
  ],
  [
    "a dataset with no rows",
    () => ["train", "project", "--quiet"],
    "NO_EVENTS",
    /project/,
    /ingest/,
  ],
  ["a pipeline nobody applied", () => ["train", "shop"], "UNKNOWN_PIPELINE", /"shop"/, /apply/],
  [
    "a table with one class only",
    initOn("alike.csv", csv(rows.map((row) => row.replace(/\d$/, "1")))),
    "LABEL_ONE_CLASS",
    /"churned"/,
  ],
  [
    "a label that is no column",
    initOn("label.csv", csv(rows), "churnt"),
    "NO_SUCH_COLUMN",
    /"churnt"/,
    /"churned"/,
  ],
  ["a table that is empty", initOn("nothing.csv", ""), "UNREADABLE_TABLE", /nothing\.csv/],
];

for (const [what, args, reason, ...named] of cases) {
  test(`${what} is refused, and the message names it`, async () => {
    const { code, stdout, stderr } = await run(...args());
    assert.equal(stdout, "");
    assert.equal(code, 1, stderr);
    assert.match(stderr, new RegExp(`\\[${reason}\\]`));
    for (const name of named) assert.match(stderr, name);
    assert.doesNotMatch(stderr, /^\s+at /m, "no stack");
  });
}

test("events sent twice, in one file or in two, are counted once", async () => {
  const ingested = async (file: string, lines: readonly string[]) => {
    writeCsv(folder.file(file), lines);
    const answer = await heddleJson(["ingest", "project", file], { cwd: folder.path });
    return (answer["files"] as { events: string; duplicates: string }[])[0];
  };
  const first = await ingested("twice.csv", [...rows, ...rows.slice(0, 5)]);
  assert.deepEqual(first, { file: "twice.csv", events: "60", duplicates: "5", differing: "0" });
  const second = await ingested("more.csv", rows.slice(10, 20));
  assert.deepEqual(second, { file: "more.csv", events: "0", duplicates: "10", differing: "0" });
});
