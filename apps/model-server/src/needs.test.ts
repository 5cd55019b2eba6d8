import assert from "node:assert/strict";
import { test } from "node:test";
import { HeddleError } from "@heddle/base";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@heddle/proto/health";
import { connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { openBench, soon } from "./fixtures/bench.ts";
import { writeVersion } from "./fixtures/model.ts";

test("a model server with nothing in memory does not serve while its objects are away; with a version it does", async () => {
  let asked = 0;
  const away = () => {
    asked += 1;
    return Promise.reject(new HeddleError("UNAVAILABLE", "OBJECTS_UNAVAILABLE", "they are away"));
  };
  await using bench = await openBench({}, [{ name: "object store", check: away }]);
  await using health = connect(Health, bench.address, {
    ...{ telemetry: silentTelemetry(), actor: "test" },
  });
  const status = async () => (await health.check({}, soon)).status;
  assert.equal(await status(), Status.NOT_SERVING);
  // Loaded before they went away, as it were.
  await bench.load(await writeVersion(bench.objects, bench.executor, 1));
  while ((await status()) !== Status.SERVING) await new Promise((done) => setTimeout(done, 50));
  assert.ok(asked >= 1);
});
