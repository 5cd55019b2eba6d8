import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { silentTelemetry } from "@heddle/telemetry";
import {
  heddle,
  heddleJson,
  startHost,
  type TemporaryFolder,
  temporaryFolder,
} from "@heddle/testkit";
import { assertResolved, resolvedAnswers } from "./fixtures/answers.ts";
import { clicksProject, writeClicks } from "./fixtures/clicks.ts";

let folder: TemporaryFolder;
before(() => {
  folder = temporaryFolder("online");
});
after(() => folder[Symbol.dispose]());

interface Learnt {
  readonly verdict: string;
  readonly serving?: { readonly version: string };
  readonly version: {
    readonly version: string;
    readonly recipe: { readonly parentVersion: string };
    readonly training: {
      readonly examples: string;
      readonly log: readonly { readonly fromOffset: string; readonly toOffset: string }[];
    };
  };
  readonly lag: { readonly events: number; readonly seconds: number };
}

const offsets = ({ version }: Learnt) =>
  version.training.log.map(({ fromOffset, toOffset }) => [Number(fromOffset), Number(toOffset)]);

test("a model that was trained on files goes on learning from the event log, and each version passes its gate", async () => {
  const options = { cwd: folder.path };
  mkdirSync(folder.file("project"));
  writeFileSync(folder.file("project", "heddle.ts"), clicksProject);
  writeClicks(folder.file("past.jsonl"), 0, 1_000);
  writeClicks(folder.file("first.jsonl"), 1_000, 2_300);
  writeClicks(folder.file("later.jsonl"), 2_300, 3_200);

  let trained: Learnt;
  let first: Learnt;
  {
    await using _host = await startHost(options);
    const applied = await heddle(["apply", "project"], options);
    assert.equal(applied.code, 0, applied.stderr);
    await heddleJson(["ingest", "clicks", "past.jsonl"], options);
    trained = (await heddleJson(["train", "daily", "--quiet"], options)) as unknown as Learnt;
    assert.equal(trained.verdict, "pass");
    writeFileSync(folder.file("bad.jsonl"), '{"id": 1}\n');
    await heddleJson(["stream", "clicks", "bad.jsonl", "first.jsonl"], options);
    const follow = ["follow", "online", "--versions", "1", "--quiet"];
    first = (await heddleJson(follow, options)) as unknown as Learnt;
  }
  // The bad one is a record of its window, too, and no example.
  assert.deepEqual([offsets(first), first.version.training.examples], [[[0, 800]], "799"]);
  assert.equal(first.version.recipe.parentVersion, trained.version.version);
  assert.deepEqual([first.verdict, first.serving?.version], ["pass", first.version.version]);
  assert.equal(first.lag.events, 501);
  assert.ok(first.lag.seconds > 0);

  // Another host, later: it goes on behind the last version, when there is enough to judge the next one.
  await using _host = await startHost(options);
  await heddleJson(["stream", "clicks", "later.jsonl"], options);
  const second = (await heddleJson(
    ["follow", "online", "--versions", "1", "--quiet"],
    options,
  )) as unknown as Learnt;
  assert.deepEqual(offsets(second), [[800, 1_600]]);
  assert.equal(second.version.recipe.parentVersion, first.version.version);
  assert.equal(second.serving?.version, second.version.version);
  const answers = await resolvedAnswers(folder.file(".heddle"), 200, silentTelemetry());
  for (const { version } of answers) assert.equal(version, second.version.version);
  assertResolved(answers, [
    [800, 1_200],
    [1_200, 1_600],
  ]);
  const traced = await heddle(["trace", "clicker"], options);
  assert.match(traced.stdout, /step train/);
  assert.match(traced.stdout, /led to by .*\n(.*\n)*cut window/);
  const { stdout } = await heddle(["stream", "clicks"], options);
  assert.match(stdout, /5 windows cut/);
  assert.match(stdout, /left out: 1 WRONG_TYPE/);
});

test("a pipeline that learns from no log cannot follow one", async () => {
  const options = { cwd: folder.path };
  await using _host = await startHost(options);
  const { code, stderr } = await heddle(["follow", "daily"], options);
  assert.equal(code, 1);
  assert.match(stderr, /NOT_ONLINE/);
});

test("a file of events that is not there is named, without a stack", async () => {
  const options = { cwd: folder.path };
  await using _host = await startHost(options);
  const { code, stderr } = await heddle(["stream", "clicks", "none.jsonl"], options);
  assert.equal(code, 1);
  assert.match(stderr, /none\.jsonl: there is no such file .* \[NO_SUCH_FILE\]/);
  assert.doesNotMatch(stderr, /^\s+at /m);
  const csv = await heddle(["stream", "clicks", "clicks.csv"], options);
  assert.equal(csv.code, 1);
  assert.match(
    csv.stderr,
    /clicks\.csv: a stream takes JSON lines.*heddle ingest clicks.*\[UNKNOWN_FORMAT\]/,
  );
});
