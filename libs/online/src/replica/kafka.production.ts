import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { onlineTopic } from "@heddle/eventlog";
import { kafkaForTests, startKafka } from "@heddle/servers";
import { temporaryFolder } from "@heddle/testkit";
import { Admin } from "@platformatic/kafka";
import { openTestKafkaLog } from "./fixtures/kafka-log.ts";
import { materialise, names, readCurrent } from "./fixtures/materialise.ts";
import { openTestReplica } from "./fixtures/replicas.ts";

const kafka = await kafkaForTests();
const skip = kafka.skip;
const run = Date.now().toString(36);
const program = join(import.meta.dirname, "fixtures/materialise-until-killed.ts");
const row = (key: string, eventTimeMs: number, n: number) => ({ key, eventTimeMs, values: { n } });

async function withAdmin<T>(body: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin({
    clientId: "tests",
    bootstrapBrokers: [kafka.url.replace("kafka://", "")],
  });
  try {
    return await body(admin);
  } finally {
    await admin.close();
  }
}

test(
  "a reader in another process never sees two moments at once, while the writer is killed and goes on",
  { skip, timeout: 240_000 },
  async () => {
    using folder = temporaryFolder("online-processes");
    const url = `${kafka.url}/${run}.processes.`;
    await using log = openTestKafkaLog(url);
    await using reader = openTestReplica(log, folder.file("reader"));
    const stop = new AbortController();
    let seen = 0;
    let reads = 0;
    const reading = (async () => {
      for (; !stop.signal.aborted; reads++) {
        const moment = await readCurrent(reader);
        assert.ok(moment >= seen, `moment ${moment} after ${seen}`);
        seen = moment;
        await sleep(1);
      }
    })();
    let acknowledged = 0;
    for (const failpoint of [
      "online.apply.before-write@20",
      "online.apply.after-write@20",
      "online.put.after-append@3",
      "online.clear.after-append@2",
      "",
    ]) {
      const env = { ...process.env, HEDDLE_FAILPOINT: failpoint };
      const writer = spawn(process.execPath, [program, folder.file("writer"), "8", url], {
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      writer.stdout.on("data", (text: Buffer) => {
        acknowledged = Number(text.toString().trim().split("\n").at(-1));
      });
      const [code, signal] = (await once(writer, "close")) as [number | null, string | null];
      assert.deepEqual([code, signal], failpoint === "" ? [0, null] : [null, "SIGKILL"]);
    }
    while (seen < acknowledged) await sleep(5);
    stop.abort();
    await reading;
    assert.ok(acknowledged >= 10 && reads > acknowledged);
    await using fresh = openTestReplica(log, folder.file("fresh"));
    assert.equal(await readCurrent(fresh), seen);
  },
);

test(
  "a replica that is new builds itself up from a log that was compacted",
  { skip, timeout: 240_000 },
  async () => {
    using folder = temporaryFolder("online-compacted");
    await using log = openTestKafkaLog(`${kafka.url}/${run}.compacted.`);
    await using old = openTestReplica(log, folder.file("old"));
    for (let moment = 1; moment <= 3; moment++) await materialise(old, moment);
    for (let time = 1; time <= 50; time++)
      await old.put(
        "v",
        names.map((key) => row(key, time, time)),
      );
    await withAdmin((admin) =>
      admin.incrementalAlterConfigs({
        resources: [
          {
            resourceType: 2,
            resourceName: `${run}.compacted.${onlineTopic}`,
            configs: Object.entries({
              ...{ "segment.ms": "1", "min.compaction.lag.ms": "0", "delete.retention.ms": "0" },
              "min.cleanable.dirty.ratio": "0.01",
            }).map(([name, value]) => ({ name, value, configOperation: 0 as const })),
          },
        ],
      }),
    );
    const held = async (): Promise<number> => {
      let records = 0;
      for (const [partition, { start }] of (await log.positions(onlineTopic)).entries()) {
        records += (await log.read(onlineTopic, partition, start, 10_000)).length;
      }
      return records;
    };
    const before = await held();
    for (let time = 51; (await held()) > before / 2; time++) {
      await old.put(
        "v",
        names.map((key) => row(key, time, time)),
      );
      await sleep(500);
    }
    await using fresh = openTestReplica(log, folder.file("fresh"));
    assert.equal(await readCurrent(fresh), 3);
    for (const view of ["v", "model/1/part", "model/2/part", "model/3/part"]) {
      assert.deepEqual(await fresh.get(view, names), await old.get(view, names), view);
    }
  },
);

test(
  "a topic that is removed and made anew is named as such",
  { skip, timeout: 120_000 },
  async () => {
    using folder = temporaryFolder("online-renewed");
    await using log = openTestKafkaLog(`${kafka.url}/${run}.renewed.`);
    await using replica = openTestReplica(log, folder.file("replica"));
    await replica.put("v", [row("a", 1, 1)]);
    await withAdmin((admin) => admin.deleteTopics({ topics: [`${run}.renewed.${onlineTopic}`] }));
    const told = async (): Promise<string> =>
      replica.check().then(
        () => "",
        (error: unknown) => (error as { reason?: string }).reason ?? "",
      );
    while ((await told()) !== "ONLINE_REPLICA_LOST") await sleep(50);
    await assert.rejects(replica.put("v", [row("a", 2, 2)]), { reason: "ONLINE_REPLICA_LOST" });
    assert.deepEqual(await replica.get("v", ["a"]), [row("a", 1, 1)]);
  },
);

test(
  "a broker that is absent at the start, and one that is killed: replicas wait, answer what they have, say how old it may be, and go on",
  { skip, timeout: 240_000 },
  async () => {
    using folder = temporaryFolder("online-outage");
    const absent = await startKafka(folder.file("kafka"));
    await absent.stop();
    await using log = openTestKafkaLog(`${absent.url}/`);
    const limits = { getWithinMs: 100, lagMsMax: 2_000 };
    await using replica = openTestReplica(log, folder.file("replica"), limits);
    const behind = { code: "UNAVAILABLE", reason: "ONLINE_REPLICA_BEHIND" };
    await assert.rejects(replica.check(), behind);
    await assert.rejects(replica.get("v", ["a"]), behind);
    const broker = await startKafka(folder.file("kafka"));
    await replica.put("v", [row("a", 1, 1)]);
    while (replica.lagMs() > limits.lagMsMax) await sleep(50);
    await replica.check();
    process.kill(broker.processId, "SIGKILL");
    await broker.stop();
    assert.deepEqual(await replica.get("v", ["a"]), [row("a", 1, 1)]);
    const put = replica.put("v", [row("a", 2, 2)]);
    while (replica.lagMs() <= limits.lagMsMax) await sleep(50);
    await assert.rejects(replica.check(), { code: "UNAVAILABLE", reason: "ONLINE_REPLICA_LAGS" });
    assert.deepEqual(await replica.get("v", ["a"]), [row("a", 1, 1)]);
    await using _again = await startKafka(folder.file("kafka"));
    await put;
    while (replica.lagMs() > limits.lagMsMax) await sleep(50);
    await replica.check();
    assert.deepEqual(await replica.get("v", ["a"]), [row("a", 2, 2)]);
    await using other = openTestReplica(log, folder.file("other"));
    assert.deepEqual(await other.get("v", ["a"]), [row("a", 2, 2)]);
  },
);
