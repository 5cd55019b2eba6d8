import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HealthCheckResponse_ServingStatus as Status } from "@heddle/proto/health";
import { mongoForTests, startMongo } from "@heddle/servers";
import { openLmdbEnvironment, openLmdbStore, openMongo, openMongoStore } from "@heddle/store";
import { systemClock } from "@heddle/base";
import { startTelemetry } from "@heddle/telemetry";
import { connectAll } from "./clients.ts";
import { untilHealth } from "./fixtures/until-health.ts";
import { placesOf } from "./places.ts";
import { startServices } from "./services.ts";

const { skip, running } = await mongoForTests();
const actor = "test";
const brier = {
  kind: "metric",
  name: "brier",
  author: "ada@example.com",
  reason: "comparable with the old system",
  better: "lower",
  each: {
    op: "multiply",
    left: { op: "subtract", left: { op: "prediction" }, right: { op: "label" } },
    right: { op: "subtract", left: { op: "prediction" }, right: { op: "label" } },
  },
};

test(
  "a host whose documents are elsewhere starts without their server, says so, and works once it is there",
  { skip: skip === false && running === undefined ? "the server is not ours to stop" : skip },
  async () => {
    const state = mkdtempSync(join(tmpdir(), "heddle-elsewhere-"));
    // A port that the server had: it is absent first, and comes back there.
    const first = await startMongo("");
    const port = Number(first.url.slice(first.url.lastIndexOf(":") + 1));
    await first.stop();
    const url = `${first.url}/heddle`;
    await using telemetry = await startTelemetry({
      service: actor,
      folder: join(state, "telemetry"),
      logLevel: "error",
    });
    {
      await using services = await startServices({
        state,
        places: placesOf(state, { HEDDLE_STORE_URL: url }),
        telemetry: {},
      });
      await using clients = connectAll(services.addresses, telemetry, actor);
      const { registry, featureStore, evaluator, sync, scheduler } = services.addresses;
      const needing = [registry, featureStore, evaluator, sync, scheduler];
      for (const address of needing) await untilHealth(address, Status.NOT_SERVING, telemetry);
      const apply = () =>
        clients.evaluator.applyMetric(
          { requestId: "once", definitionJson: JSON.stringify(brier) },
          { timeoutMs: 10_000 },
        );
      await assert.rejects(apply());
      const log = readFileSync(join(state, "logs", "evaluator.log"), "utf8");
      assert.match(
        log,
        new RegExp(`STORE_UNAVAILABLE: the document store 127.0.0.1:${port}/heddle`),
      );
      await using _server = await startMongo("", { ports: [port] });
      for (const address of needing) await untilHealth(address, Status.SERVING, telemetry);
      const { digest } = await apply();
      assert.equal((await apply()).digest, digest);
      await using connection = await openMongo({ url, clock: systemClock, random: Math.random });
      const metrics = openMongoStore(connection, "evaluator").collection<object>("metrics");
      assert.deepEqual(
        (await metrics.list()).items.map((item) => item.key),
        ["brier"],
      );
      // Its event leaves the outbox for the log, which is in the host's own folder.
      while ((await metrics.pending(1)).length > 0)
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // The host's own environment holds events and online values, and no document.
    await using environment = openLmdbEnvironment({
      path: join(state, "store"),
      mapBytesMax: 16 * 1024 ** 3,
    });
    assert.deepEqual(await openLmdbStore(environment, "evaluator").collection("metrics").list(), {
      items: [],
    });
    rmSync(state, { recursive: true });
  },
);
