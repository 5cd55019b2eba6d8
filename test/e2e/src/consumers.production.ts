import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "@heddle/base";
import { type EventLog, eventTopics, type LogRecord, type NewRecord } from "@heddle/eventlog";
import { openKafkaLog } from "@heddle/eventlog/kafka";
import { kafkaForTests, pythonForTests } from "@heddle/servers";
import { type Finished, heddle, heddleJson, startHost, temporaryFolder } from "@heddle/testkit";
import { startFollower } from "./fixtures/follower.ts";
import { customersProject } from "./fixtures/project.ts";

const consumers = join(import.meta.dirname, "../../../examples/consumers");
const python = await pythonForTests(join(consumers, "python/requirements.txt"));
const kafka = await kafkaForTests();
const prefix = `consumers-${Date.now().toString(36)}.`;
const url = `${kafka.url}/${prefix}?replicas=1&minInSyncReplicas=1&partitions=1`;

/** A program of another team, and how it is started. */
interface Program {
  readonly name: string;
  readonly command: readonly string[];
  /** Where it keeps what it knows. */
  readonly file: string;
  readonly skip: string | false;
}
const brokers = kafka.url.replace("kafka://", "");
const programs: readonly Program[] = [
  {
    name: "the TypeScript consumer",
    command: [process.execPath, join(consumers, "typescript/src/main.ts"), brokers, prefix],
    file: "typescript.json",
    skip: kafka.skip,
  },
  {
    name: "the Python consumer",
    command: [python.path, join(consumers, "python/follow_models.py"), brokers, prefix],
    file: "python.json",
    skip: kafka.skip || python.skip,
  },
];

const models = eventTopics.models.name;
const model = "heddle.registry.v1.ModelEvent";
/** One of a type that a later Heddle may send, and four that are no events. */
const badRecords: readonly NewRecord[] = [
  recordOf("heddle.registry.v9.FutureEvent", {}),
  { key: "x", headers: {}, value: Buffer.from("no event") },
  recordOf(model, {}, Buffer.from([0xff, 0x00, 0x7b])),
  recordOf(model, 7),
  recordOf(model, { change: "registered", version: "x", number: "seven" }),
];
const skipWithout = { skip: kafka.skip };

// One story for both: a table of one's own becomes a served version, on a host whose log is a Kafka.
const folder = temporaryFolder("consumers");
let log: EventLog;
let known: readonly LogRecord[] = [];
/** Events of the story on the three topics. */
let storied = 0;
/** By program, what its first life took. */
const applied = new Map<Program, number>();
/** What Heddle itself says of the version that serves. */
let truth: string;

before(async () => {
  if (kafka.skip !== false) return;
  log = openKafkaLog({ url, clock: systemClock, random: Math.random });
  const project = customersProject(folder);
  const options = { cwd: project, environment: { HEDDLE_LOG_URL: url } };
  const init = ["init", ".", "--from", "customers.csv", "--label", "churned", "--time", "signed"];
  await succeeds(heddle(init, options));
  await using _host = await startHost(options);
  await succeeds(heddle(["apply"], options));
  await succeeds(heddle(["ingest", "churn", "customers.csv"], options));
  truth = lineOf((await heddleJson(["train", "churn", "--quiet"], options)) as unknown as Trained);
  // What a host has not told when it ends, the next one does, and here is none.
  const serves = ({ value }: LogRecord) => Buffer.from(value).toString().includes('"serving"');
  while (!(await recordsOf(eventTopics.serving.name)).some(serves)) await sleep(100);
});
after(async () => {
  await log?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const follow = (program: Program) => startFollower(program.command, folder.file(program.file));

for (const program of programs) {
  test(`${program.name} says what Heddle says`, { skip: program.skip }, async () => {
    const { ended, complaints } = await follow(program).until(truth);
    assert.deepEqual({ ...ended, applied: 0 }, { applied: 0, repeated: 0, unknown: 0, skipped: 0 });
    assert.doesNotMatch(complaints, /skipped/);
    applied.set(program, ended.applied);
  });
}

test(
  "records come again, nobody knows their type, and some are no events",
  skipWithout,
  async () => {
    known = await recordsOf(models);
    const others = [eventTopics.evaluations.name, eventTopics.serving.name];
    storied = known.length + (await Promise.all(others.map(recordsOf))).flat().length;
    const rollout = { fleet: "main", model: "later", version: "cafe", change: "serving" };
    const serving = { ...rollout, unheardOf: { since: "v9" } };
    await log.append(eventTopics.serving.name, [recordOf("heddle.sync.v1.RolloutEvent", serving)]);
    const auc = { name: "auc", candidate: { value: 0.5, low: 0.25, high: 0.75 } };
    const evaluated = { version: "cafe", evaluation: "e", dataset: "e", metrics: [auc] };
    await log.append(eventTopics.evaluations.name, [
      recordOf("heddle.evaluator.v1.EvaluationEvent", evaluated),
    ]);
    const registered = { change: "registered", version: "cafe", run: "r", number: 9, dataset: "d" };
    // These three are the last of their topics: whoever knows them took all before them.
    await log.append(models, [...known, ...badRecords, recordOf(model, registered)]);
  },
);

for (const program of programs) {
  const claim = `${program.name} goes on from where it was, drops repeats and says what it skips`;
  test(claim, { skip: program.skip }, async () => {
    const line =
      "main/later: v9 cafe serves; AUC 0.5000 (0.2500 to 0.7500) on dataset e; trained on dataset d by run r";
    const { ended, complaints } = await follow(program).until(line);
    // What the first life did not come to, this one takes: together each event of the story once, and the three of later.
    const took = { ...ended, applied: ended.applied + (applied.get(program) ?? 0) };
    const all = storied + 3;
    assert.deepEqual(took, { applied: all, repeated: known.length, unknown: 1, skipped: 4 });
    for (const why of ["no CloudEvents headers", "JSON|codec", "no data", "number"]) {
      assert.match(complaints, new RegExp(`skipped offset \\d+ of .*: .*(${why})`));
    }
  });
}

function recordOf(type: string, data: unknown, value: Uint8Array = json({ data })): NewRecord {
  const headers = { ce_specversion: "1.0", ce_id: "later/1000/0", ce_type: type };
  return { key: "later", headers, value };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

async function recordsOf(topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (const [partition, { start, end }] of (await log.positions(topic)).entries()) {
    for (let at = start; at < end; at = (records.at(-1)?.offset ?? end) + 1) {
      records.push(...(await log.read(topic, partition, at, 1_000)));
    }
  }
  return records;
}

interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** What `heddle train` says of what it trained, as far as a follower can know it. */
interface Trained {
  readonly version: {
    readonly version: string;
    readonly number: number;
    readonly run: string;
    readonly recipe: { readonly dataset: string };
  };
  readonly evaluation: {
    readonly dataset: string;
    readonly metrics: readonly { name: string; slice?: string; candidate?: Interval }[];
  };
  readonly serving: { readonly version: string };
}

/** The line that a follower must say. */
function lineOf({ version, evaluation, serving }: Trained): string {
  assert.equal(serving.version, version.version);
  const short = (name: string): string => name.slice(0, 12);
  const auc = evaluation.metrics.find(({ name, slice = "" }) => name === "auc" && slice === "");
  const { value, low, high } = auc?.candidate ?? assert.fail("no AUC");
  return [
    `main/churn: v${version.number} ${short(version.version)} serves`,
    `AUC ${value.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)}) on dataset ${short(evaluation.dataset)}`,
    `trained on dataset ${short(version.recipe.dataset)} by run ${short(version.run)}`,
  ].join("; ");
}

async function succeeds(command: Promise<Finished>): Promise<void> {
  const { code, stdout, stderr } = await command;
  assert.equal(code, 0, `${stdout}${stderr}`);
}
