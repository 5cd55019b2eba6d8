import assert from "node:assert/strict";
import { test } from "node:test";
import { openBackends } from "@heddle/backends";
import { systemClock } from "@heddle/base";
import { HealthCheckResponse_ServingStatus as Status } from "@heddle/proto/health";
import { kafkaForTests, startKafka } from "@heddle/servers";
import { startTelemetry } from "@heddle/telemetry";
import { temporaryFolder } from "@heddle/testkit";
import { connectAll } from "./clients.ts";
import { untilHealth } from "./fixtures/until-health.ts";
import { placesOf } from "./places.ts";
import { startServices } from "./services.ts";

const { skip, running } = await kafkaForTests();
const metric = {
  ...{ kind: "metric", name: "predicted", author: "ada@example.com", reason: "first version" },
  ...{ better: "lower", each: { op: "prediction" } },
};

test(
  "a host whose events are elsewhere starts without their broker, says so, keeps what happens, and tells it once the broker is there",
  { skip: skip === false && running === undefined ? "the broker is not ours to stop" : skip },
  async () => {
    using folder = temporaryFolder("log-elsewhere");
    // A folder keeps its ports: the broker is absent first, and comes back there.
    const { url: at, stop } = await startKafka(folder.file("kafka"));
    await stop();
    const url = `${at}/?replicas=1&minInSyncReplicas=1&partitions=1`;
    const state = folder.file("state");
    await using telemetry = await startTelemetry({
      service: "test",
      folder: folder.file("telemetry"),
      logLevel: "error",
    });
    const places = placesOf(state, { HEDDLE_LOG_URL: url });
    await using services = await startServices({ state, places, telemetry: {} });
    await using clients = connectAll(services.addresses, telemetry, "test");
    const { registry, featureStore, evaluator, sync, scheduler } = services.addresses;
    const needing = [registry, featureStore, evaluator, sync, scheduler];
    for (const address of needing) await untilHealth(address, Status.NOT_SERVING, telemetry);
    // Its document is here: the change is made, and its event waits in it.
    const asked = { requestId: "once", definitionJson: JSON.stringify(metric) };
    await clients.evaluator.applyMetric(asked, { timeoutMs: 10_000 });
    await using _broker = await startKafka(folder.file("kafka"));
    for (const address of needing) await untilHealth(address, Status.SERVING, telemetry);
    const elsewhere = placesOf(folder.file("reader"), { HEDDLE_LOG_URL: url });
    await using backends = await openBackends(elsewhere, {
      ...{ clock: systemClock, random: Math.random },
    });
    const told: string[] = [];
    const stopReading = new AbortController();
    const topic = "heddle.evaluations.v1";
    const take = async ({ key }: { readonly key: string }): Promise<void> => {
      told.push(key);
      stopReading.abort();
    };
    await backends.eventLog.subscribe({ topic, group: "test" }, take, stopReading.signal);
    assert.deepEqual(told, ["predicted"]);
  },
);
