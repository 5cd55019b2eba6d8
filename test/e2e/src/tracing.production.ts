import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "@heddle/base";
import { traceLog } from "@heddle/eventlog";
import { openKafkaLog } from "@heddle/eventlog/kafka";
import {
  jaegerForTests,
  kafkaForTests,
  mongoForTests,
  newBucket,
  prometheusForTests,
  s3ForTests,
} from "@heddle/servers";
import { startTelemetry, type Telemetry } from "@heddle/telemetry";
import { heddle, startHost, temporaryFolder } from "@heddle/testkit";
import { assertResolved, type Resolved, resolvedAnswers } from "./fixtures/answers.ts";
import { clicksProject, writeClicks } from "./fixtures/clicks.ts";
import { type JaegerSpan, named, pathOf, readTrace } from "./fixtures/jaeger.ts";

const [jaeger, kafka, mongo, s3] = [
  await jaegerForTests(),
  await kafkaForTests(),
  await mongoForTests(),
  await s3ForTests(),
];
const skip = [jaeger, kafka, mongo, s3].find((server) => server.skip !== false)?.skip ?? false;
const prometheus = await prometheusForTests(jaeger.metrics === undefined ? [] : [jaeger.metrics]);

const name = `tracing-${Date.now().toString(36)}`;
const logUrl = `${kafka.url}/${name}.?replicas=1&minInSyncReplicas=1&partitions=1`;
const ingest = "heddle.ingest.clicks.v1";
const predict = "heddle.model_server.v1.ModelServerService/Predict";

/** What the story left at Jaeger. */
interface Told {
  readonly answers: readonly Resolved[];
  /** Trace of the caller who asked for predictions. */
  readonly asking: string;
}
let told: Told;

/** Events are streamed, learnt, and asked about, on real servers; and another team follows the models' events. */
async function tell(): Promise<Told> {
  using folder = temporaryFolder("tracing");
  const bucket = await newBucket(s3);
  const environment = {
    HEDDLE_OTLP_ENDPOINT: jaeger.otlpEndpoint,
    HEDDLE_TRACE_EVERY_STEPS: "5",
    HEDDLE_LOG_URL: logUrl,
    HEDDLE_STORE_URL: `${mongo.url}/${name}`,
    HEDDLE_OBJECTS_URL: bucket.url("objects"),
  };
  const options = { cwd: folder.path, environment };
  mkdirSync(folder.file("project"));
  writeFileSync(folder.file("project", "heddle.ts"), clicksProject);
  writeClicks(folder.file("clicks.jsonl"), 0, 1_300);
  const place = { otlpEndpoint: jaeger.otlpEndpoint, logLevel: "silent" };
  await using telemetry = await startTelemetry({ service: "caller", ...place });
  await using _host = await startHost(options);
  for (const command of [
    ["apply", "project"],
    ["stream", "clicks", "clicks.jsonl"],
    ["follow", "online", "--versions", "1", "--quiet"],
  ]) {
    const { code, stderr } = await heddle(command, options);
    assert.equal(code, 0, stderr);
  }
  await followModels(telemetry);
  return await telemetry.span("ask", {}, async () => {
    const asking = telemetry.traceparent()?.split("-")[1] ?? "";
    return { asking, answers: await resolvedAnswers(folder.file(".heddle"), 100, telemetry) };
  });
}

/** Reads the models' events until a version was registered. */
async function followModels(telemetry: Telemetry): Promise<void> {
  await using log = openKafkaLog({ url: logUrl, clock: systemClock, random: Math.random });
  const seen = new AbortController();
  const options = { topic: "heddle.models.v1", group: "followers" };
  await traceLog(log, telemetry, "kafka").subscribe(
    options,
    async ({ value }) => {
      if (Buffer.from(value).includes('"registered"')) seen.abort();
    },
    seen.signal,
  );
}

if (skip === false) {
  before(async () => {
    told = await tell();
  });
}

const onlyLink = ({ links }: JaegerSpan): string =>
  links[0] ?? assert.fail("the span links to no other trace");

test(
  "in Jaeger an answer leads to the run that made its version, to the window that it learnt, and to who sent the events",
  { skip },
  async () => {
    const asked = await readTrace(jaeger.url, told.asking, ["ask", "model-server.answer"]);
    const answer = named(asked, "model-server.answer");
    assert.deepEqual(pathOf(asked, answer), [
      "caller ask",
      "caller ModelServerService/Predict",
      "model-server ModelServerService/Predict",
      "model-server model-server.answer",
    ]);
    assert.equal(answer.tags["heddle.version"], told.answers[0]?.version);
    assert.equal(asked.filter((span) => span.name === predict).length, 2 * told.answers.length);

    const training = await readTrace(jaeger.url, onlyLink(answer), ["train", "sync.rollout"]);
    const build = named(training, "build-dataset");
    assert.deepEqual(pathOf(training, build).slice(-3), [
      "scheduler step build-dataset",
      "scheduler attempt build-dataset",
      "dataset build-dataset",
    ]);
    const window = await readTrace(jaeger.url, onlyLink(build), ["cut window"]);
    const cut = named(window, "cut window");
    assert.equal(cut.service, "feature-store");
    const sent = await readTrace(jaeger.url, onlyLink(cut), [`send ${ingest}`]);
    assert.deepEqual(pathOf(sent, named(sent, `send ${ingest}`)), [
      "cli FeatureStoreService/AppendEvents",
      "feature-store FeatureStoreService/AppendEvents",
      `feature-store send ${ingest}`,
    ]);
  },
);

test(
  "a training's trace has its calls, jobs, sampled steps, shards, documents, objects and events, each below what made it",
  { skip },
  async () => {
    const traceparent = told.answers[0]?.origin.version?.traceparent ?? "";
    const spans = await readTrace(jaeger.url, traceparent.split("-")[1] ?? "", [
      ...["pipeline-run", "step train", "attempt train", "train", "step", "evaluation"],
      ...["put runs", "object put", "object get", "send heddle.models.v1", "sync.rollout"],
      "process heddle.models.v1",
    ]);
    const paths = spans.map((span) => pathOf(spans, span));
    const below = (span: string, ...above: string[]): void => {
      const own = paths.filter((path) => path.at(-1) === span);
      const isBelow = own.some((path) => above.every((part) => path.includes(part)));
      assert.ok(isBelow, `${span} below ${above.join(", ")}; but ${JSON.stringify(own[0])}`);
    };
    const register = ["learner train", "registry RegistryService/RegisterVersion"];
    below("scheduler attempt train", "scheduler pipeline-run", "scheduler step train");
    below("learner train", "scheduler attempt train");
    below("learner step", "learner train");
    below("learner ParameterServerService/Push", "learner train", "learner step");
    below("evaluator evaluation", "scheduler attempt evaluate");
    below("registry put versions", ...register);
    below("learner object put", "learner train");
    below("dataset object get", "dataset build-dataset");
    below("sync put fleets", "scheduler step publish", "sync SyncService/Publish");
    below("registry send heddle.models.v1", ...register);
    below("caller process heddle.models.v1", ...register);
    below("model-server ModelServerService/Load", "sync sync.rollout");
    below("model-server object get", "model-server ModelServerService/Load");
    const tag = (span: string, key: string) => named(spans, span).tags[key];
    assert.equal(tag("put versions", "db.system.name"), "mongodb");
    assert.equal(tag("object put", "heddle.objects"), "s3");
    assert.equal(tag("send heddle.models.v1", "messaging.system"), "kafka");
    assert.equal(tag("process heddle.models.v1", "span.kind"), "consumer");
  },
);

test(
  "metrics of services and jobs come to Prometheus by the collector",
  { skip: skip || prometheus.skip },
  async () => {
    const answers = told.answers.length;
    await untilMetric(`heddle_serving_rows_total{heddle_model="clicker"}`, answers);
    await untilMetric(`heddle_learner_examples_total{model="clicker"}`, 800);
    const answered = `traces_span_metrics_calls_total{service_name="model-server",span_name="model-server.answer"}`;
    await untilMetric(answered, answers);
    await untilMetric(`heddle_scheduler_attempt_duration_seconds_count{kind="train"}`, 1);
  },
);

/** Waits until the sum over a metric's series is so much. */
async function untilMetric(query: string, sum: number): Promise<void> {
  const asked = `${prometheus.url}/api/v1/query?query=${encodeURIComponent(`sum(${query})`)}`;
  const deadline = performance.now() + 60_000;
  let last = "";
  while (performance.now() < deadline) {
    last = await (await fetch(asked)).text();
    const { data } = JSON.parse(last) as {
      readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
    };
    if (Number(data.result[0]?.value[1]) === sum) return;
    await sleep(500);
  }
  assert.fail(`${query} did not become ${sum}: ${last}`);
}

test(
  "every answer resolves to model, run, snapshot, dataset, and the offsets behind it",
  { skip },
  () => {
    assertResolved(told.answers, [
      [0, 400],
      [400, 800],
    ]);
  },
);
