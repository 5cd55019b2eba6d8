import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { HealthCheckResponse_ServingStatus as Status } from "@heddle/proto/health";
import { newBucket, s3ForTests, startS3 } from "@heddle/servers";
import { startTelemetry } from "@heddle/telemetry";
import { temporaryFolder } from "@heddle/testkit";
import { untilHealth } from "./fixtures/until-health.ts";
import { placesOf } from "./places.ts";
import { startServices } from "./services.ts";

// Its credentials are in the environment then.
const { skip, running } = await s3ForTests();

test(
  "a host whose objects are elsewhere starts without their server and without their bucket, says so, and serves once both are there",
  { skip: skip === false && running === undefined ? "the server is not ours to stop" : skip },
  async () => {
    using folder = temporaryFolder("elsewhere");
    const first = await startS3(folder.file("s3"));
    const ports = [Number(new URL(first.url).port)];
    await first.stop();
    const url = `s3://heddle-test/objects?endpoint=${first.url}`;
    const state = folder.file("state");
    const places = placesOf(state, { HEDDLE_OBJECTS_URL: url });
    await using telemetry = await startTelemetry({
      service: "test",
      folder: folder.file("telemetry"),
      logLevel: "error",
    });
    await using services = await startServices({ state, places, telemetry: {} });
    const { registry, featureStore, evaluator, sync, scheduler } = services.addresses;
    const needing = [registry, featureStore, evaluator, sync, scheduler];
    for (const address of needing) await untilHealth(address, Status.NOT_SERVING, telemetry);
    await using server = await startS3(folder.file("s3"), { ports });
    await untilHealth(registry, Status.NOT_SERVING, telemetry);
    await newBucket({ url: server.url, skip: false, running: server });
    for (const address of needing) await untilHealth(address, Status.SERVING, telemetry);
    assert.equal(existsSync(`${state}/objects`), false);
  },
);
