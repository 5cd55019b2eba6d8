import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { HeddleError } from "@heddle/base";
import { lockFolder } from "@heddle/base/lock-folder";
import {
  type Finished,
  heddle,
  heddleJson,
  startHost,
  type TemporaryFolder,
  temporaryFolder,
} from "@heddle/testkit";
import { churnRows, writeCsv } from "./fixtures/churn.ts";
import { customersProject } from "./fixtures/project.ts";
import { segmentsOf } from "./fixtures/segments.ts";

// The story of docs/guide/your-own-data.md in a folder that knows nothing of this workspace. The tests go on from each other.
let folder: TemporaryFolder;
let project: string;
let host: AsyncDisposable | undefined;
let init: Finished;

const run = (...args: string[]) => heddle(args, { cwd: project });
const ask = (...args: string[]) => heddleJson(args, { cwd: project });

before(async () => {
  folder = temporaryFolder("own-data");
  project = customersProject(folder);
  init = await run(
    "init",
    ".",
    "--from",
    "customers.csv",
    "--label",
    "churned",
    "--time",
    "signed",
  );
});
after(async () => {
  await host?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test("init says what it made of the table, and what to do next", () => {
  assert.equal(init.code, 0, init.stderr);
  assert.match(init.stdout, /1,500 rows; label churned; 2 numbers, 1 category/);
  assert.match(init.stdout, /left out: customer_id, it identifies the row/);
  assert.deepEqual(nextSteps(), [
    "heddle apply",
    "heddle ingest churn customers.csv",
    "heddle train churn",
  ]);
});

const nextSteps = (): string[] => (init.stdout.split("Next:\n")[1] ?? "").trim().split(/\n\s*/);

test("the definitions it wrote type-check against the packed SDK alone", () => {
  assert.ok(existsSync(join(project, "node_modules/@heddle/sdk/dist/index.d.ts")));
  const tsc = join(import.meta.dirname, "../../../node_modules/.bin/tsc");
  const strict = ["--noEmit", "--strict", "--module", "nodenext", "--types", "", "heddle.ts"];
  execFileSync(tsc, strict, { cwd: project, stdio: "pipe" });
});

test("the printed steps lead to a served version", async () => {
  let last: Finished | undefined;
  for (const [i, step] of nextSteps().entries()) {
    // The first starts the services for its own time; the others find them running.
    if (i === 1) host = await startHost({ cwd: project });
    last = await run(...step.split(" ").slice(1));
    assert.equal(last.code, 0, `${step}: ${last.stdout}${last.stderr}`);
  }
  assert.match(last?.stdout ?? "", /PASS .*serving, memory digest [0-9a-f]{12} verified/);
});

test("a model of which nothing is live yet has no lineage to show, and says so", async () => {
  const applied = await run("apply", "--state", "unserved");
  assert.equal(applied.code, 0, applied.stderr);
  const { code, stderr } = await run("lineage", "churn", "--state", "unserved");
  assert.equal(code, 1);
  assert.match(stderr, /no version of model churn is live; .*\[NOTHING_LIVE\]/);
  const trains = join(project, "misspelt.ts");
  const text = readFileSync(join(project, "heddle.ts"), "utf8");
  for (const [right, wrong, said] of [
    ['model: "churn"', 'model: "churm"', /pipeline churn trains the model "churm", .* "churn"\?/],
    [
      "metrics: []",
      'metrics: ["brier"]',
      /model churn has the metric "brier", which nobody defined/,
    ],
  ] as const) {
    writeFileSync(trains, text.replace(right, wrong));
    const misspelt = await run("apply", trains, "--state", "unserved");
    assert.equal(misspelt.code, 1);
    assert.match(misspelt.stderr, said);
  }
});

test("a run that ended before it trained is told by the step that failed, and has no lineage", async () => {
  const there = ["--state", "unserved"];
  const trained = await run("train", "churn", ...there);
  assert.equal(trained.code, 1);
  assert.match(trained.stderr, /churn\/all failed at step \w+ after 1 attempt: /);
  assert.match(
    trained.stderr,
    /the source churn \(branch main\) has no events: ingest them first \[NO_EVENTS\]/,
  );
  const { stdout } = await run("runs", ...there);
  assert.match(stdout, /^churn\/all +failed +.* UTC +(dataset|holdout) failed, 5 cancelled$/m);
  const asked = await run("predict", "churn", "{}", ...there);
  assert.equal(asked.code, 1);
  assert.match(asked.stderr, /no version of model churn is live: .* gate; .*\[NOTHING_LIVE\]/);
  const { code, stderr } = await run("lineage", "churn/all", ...there);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /churn\/all has trained no version: its step train is cancelled; .*\[NO_VERSION_YET\]/,
  );
});

test("a command waits for another one that is starting or ending a host of its own", async () => {
  const other = lockFolder(
    join(project, "unserved"),
    "host",
    () => new HeddleError("INTERNAL", "HELD", "it is free"),
  );
  const waiting = run("runs", "--state", "unserved");
  const first = await Promise.race([waiting, sleep(2_000, "waits")]);
  assert.equal(first, "waits");
  other[Symbol.dispose]();
  const { code, stdout, stderr } = await waiting;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^churn\/all +failed/m);
});

test("predict answers for a row of one's own by the served version", async () => {
  const { versions } = (await ask("versions", "churn")) as { versions: { version: string }[] };
  const score = async (row: object): Promise<number> => {
    const answer = await ask("predict", "churn", JSON.stringify(row));
    assert.equal(answer["version"], versions[0]?.version);
    return answer["prediction"] as number;
  };
  const leaves = await score({ months: 3, plan: "basic", spend: 20 });
  const stays = await score({ months: 50, plan: "plus", spend: null });
  assert.ok(leaves > 0.7 && stays < 0.3, `${leaves} and ${stays}`);
  // JSON has no whole numbers above 2^53, so they may be texts.
  assert.equal(await score({ months: "3", plan: "basic", spend: 20 }), leaves);
  const misspelt = await run("predict", "churn", JSON.stringify({ monhts: 3, plan: "basic" }));
  assert.deepEqual([misspelt.code, misspelt.stdout], [1, ""]);
  assert.match(misspelt.stderr, /column "monhts", .* did you mean "months"\? \[UNKNOWN_COLUMN\]/);
  for (const [example, said] of [
    ["null", /no JSON object of columns and their values; write it as /],
    ['[{ "months": 3 }]', /no JSON object of columns and their values; write it as /],
    ['{ "months": 3.5 }', /column "months" is int64, and has 3.5: .* \[EXAMPLES_INVALID\]/],
    ['{ "plan": 7 }', /column "plan" is string, and has 7: write a text .* \[EXAMPLES_INVALID\]/],
  ] as const) {
    const refused = await run("predict", "churn", example);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, said);
  }
});

test("lineage leads from the version to the table and its owner", async () => {
  const { nodes } = (await ask("lineage", "churn")) as { nodes: { kind: string; label: string }[] };
  assert.ok(nodes.some(({ kind, label }) => kind === "source" && label.includes("churn")));
  for (const kind of ["version", "run", "configuration", "dataset", "view", "author"]) {
    assert.ok(
      nodes.some((node) => node.kind === kind),
      kind,
    );
  }
  const { stdout } = await run("lineage", "source:churn");
  assert.match(
    stdout,
    /built from it: dataset [0-9a-f]{12} .*\n +└─ trained on it: run [0-9a-f]{12}/,
  );
});

test("doctor says what is installed here, and how to have what is not", async () => {
  const { findings } = (await ask("doctor")) as { findings: { what: string; found: string }[] };
  const found = (what: string) => findings.find((one) => one.what.includes(what))?.found ?? "";
  assert.match(found("executor onnx"), /^onnxruntime-node \d/);
  assert.match(
    found("executor tensorflow"),
    /^TensorFlow [\d.]+ on |to have it: npm run setup:tensorflow|no tried recipe/,
  );
});

test("the audits train the version's dataset again, and say what overlap and batches cost", async () => {
  const speed = (await ask("speed-audit", "churn", "--in-flight", "2")) as {
    settings: { inFlight: number; verdict: string }[];
    tooFast: string;
  };
  const overlap = speed.settings.map(({ inFlight }) => inFlight);
  assert.deepEqual([...new Set(overlap)], [1, 2]);
  assert.equal(speed.settings[0]?.verdict, "baseline");
  assert.match(speed.tooFast, /^(yes|no|unclear)$/);
  const sizes = (await ask("batch-audit", "churn", "--sizes", "16,32", "--rounds", "1")) as {
    sizes: { batchSize: number; verdict: string }[];
    chosen: number;
  };
  const tried = sizes.sizes.map(({ batchSize }) => batchSize);
  assert.ok(tried.includes(16) && tried.includes(32) && tried.includes(sizes.chosen));
  assert.equal(sizes.sizes.filter(({ verdict }) => verdict === "baseline").length, 1);
});

test("applying and ingesting the same again changes nothing", async () => {
  const { applied } = (await ask("apply")) as { applied: { kind: string; created: boolean }[] };
  const kept = applied.filter(({ kind }) => kind !== "pipeline");
  assert.ok(kept.length === 3 && kept.every(({ created }) => !created));
  const before = await ask("lineage", "source:churn");
  writeCsv(join(project, "again.csv"), churnRows(1_500, 11).slice(0, 10));
  const { files } = (await ask("ingest", "churn", "again.csv")) as { files: object[] };
  assert.deepEqual(files, [{ file: "again.csv", events: "0", duplicates: "10", differing: "0" }]);
  const corrected = churnRows(1_500, 11).slice(0, 10);
  corrected[3] = corrected[3]!.replace(/[01]$/, (label) => String(1 - Number(label)));
  writeCsv(join(project, "corrected.csv"), corrected);
  const { stdout } = await run("ingest", "churn", "corrected.csv");
  assert.match(
    stdout,
    /look at: 1 of corrected\.csv's duplicates say something else than the event/,
  );
  assert.deepEqual(await ask("lineage", "source:churn"), before);
});

test("a first version has none before it to roll back to, and says so", async () => {
  const { code, stdout, stderr } = await run("rollback", "churn");
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /model churn .*nothing served before.*\[NOTHING_TO_ROLL_BACK\]/);
});

test("changed inputs are told to start from nothing, and a run that is there keeps its definitions", async () => {
  const file = join(project, "heddle.ts");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace('numeric("months"', 'numeric("stayed"'));
  assert.equal((await run("apply")).code, 0);
  const again = await run("train", "churn");
  assert.equal(again.code, 0);
  assert.match(again.stderr, /churn\/all keeps the definitions .*--variant/);
  const changed = await run("train", "churn", "--variant", "stayed");
  assert.deepEqual([changed.code, changed.stdout], [1, ""]);
  assert.match(
    changed.stderr,
    /inputs of model churn changed .*warmStart: false.*\[INPUTS_CHANGED\]/s,
  );
  const row = JSON.stringify({ months: 3, plan: "basic", spend: 20 });
  assert.equal(typeof (await ask("predict", "churn", row))["prediction"], "number");
  // Going back to what was applied before is a change, too.
  writeFileSync(file, text);
  assert.equal((await run("apply")).code, 0);
  assert.doesNotMatch((await run("train", "churn")).stderr, /keeps the definitions/);
});

test("a reference table goes back to an earlier file when that is sent again", async () => {
  const file = join(project, "heddle.ts");
  const plans = `
export const plans = defineSource({
  ...source,
  name: "plans",
  columns: { plan: "string", price: "int64" },
  eventId: ["plan"],
  eventTime: undefined,
});
`;
  writeFileSync(file, `${readFileSync(file, "utf8")}${plans}`);
  assert.equal((await run("apply")).code, 0);
  writeCsv(join(project, "one.csv"), ["basic,5"], "plan,price");
  writeCsv(join(project, "two.csv"), ["basic,5", "plus,9"], "plan,price");
  const held: unknown[] = [];
  for (const name of ["one.csv", "two.csv", "one.csv"]) {
    assert.equal((await run("ingest", "plans", name)).code, 0);
    held.push(await segmentsOf(join(project, ".heddle"), "plans"));
  }
  assert.deepEqual(held, [["one.csv"], ["two.csv"], ["one.csv"]]);
});
