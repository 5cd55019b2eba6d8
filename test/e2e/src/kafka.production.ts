import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "@heddle/base";
import { openKafkaLog } from "@heddle/eventlog/kafka";
import { kafkaForTests } from "@heddle/servers";
import { heddle, startHost, temporaryFolder } from "@heddle/testkit";
import { clicksProject, writeClicks } from "./fixtures/clicks.ts";

const kafka = await kafkaForTests();
const { skip } = kafka;
const prefix = `${Date.now().toString(36)}.`;

test(
  "a host whose log is a Kafka streams into it, cuts windows from it, and tells others there",
  { skip },
  async () => {
    using folder = temporaryFolder("kafka-host");
    const url = `${kafka.url}/${prefix}?replicas=1&minInSyncReplicas=1&partitions=1`;
    const options = { cwd: folder.path, environment: { HEDDLE_LOG_URL: url } };
    mkdirSync(folder.file("project"));
    writeFileSync(folder.file("project", "heddle.ts"), clicksProject);
    writeClicks(folder.file("some.jsonl"), 0, 500);
    await using _host = await startHost(options);
    for (const command of [
      ["apply", "project"],
      ["stream", "clicks", "some.jsonl"],
    ]) {
      const { code, stderr } = await heddle(command, options);
      assert.equal(code, 0, stderr);
    }
    for (;;) {
      const { stdout } = await heddle(["stream", "clicks"], options);
      if (/[1-9]\d* windows? cut/.test(stdout)) break;
      await sleep(200);
    }
    await using log = openKafkaLog({ url, clock: systemClock, random: Math.random });
    const positionNow = async () => (await log.positions("heddle.ingest.clicks.v1"))[0];
    assert.equal((await positionNow())?.end, 500);
    // What is cut leaves the log with the next look at it.
    while ((await positionNow())?.start === 0) await sleep(100);
    assert.ok((await log.read("heddle.features.v1", 0, 0, 10)).length > 0);
  },
);

test("a host whose Kafka is not there says which, and what to do", { skip }, async () => {
  using folder = temporaryFolder("kafka-away");
  const options = {
    cwd: folder.path,
    environment: { HEDDLE_LOG_URL: "kafka://127.0.0.1:1/?replicas=1&minInSyncReplicas=1" },
  };
  mkdirSync(folder.file("project"));
  writeFileSync(folder.file("project", "heddle.ts"), clicksProject);
  writeClicks(folder.file("some.jsonl"), 0, 10);
  await using _host = await startHost(options);
  const applied = await heddle(["apply", "project"], options);
  assert.equal(applied.code, 0, applied.stderr);
  const { code, stderr } = await heddle(["stream", "clicks", "some.jsonl"], options);
  assert.notEqual(code, 0);
  assert.match(stderr, /Kafka 127\.0\.0\.1:1 cannot be reached/);
});
