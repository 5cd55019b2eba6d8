import assert from "node:assert/strict";
import { test } from "node:test";
import { Health } from "@heddle/proto/health";
import { silentTelemetry } from "@heddle/telemetry";
import { openPeer, serve } from "../index.ts";

const telemetry = silentTelemetry();

test("a peer is called where it is now, also after it came back elsewhere", async () => {
  let address = "";
  await using peer = openPeer(Health, () => address, { telemetry, actor: "test" });
  for (let restart = 0; restart < 2; restart++) {
    await using server = await serve({ implementations: [], telemetry });
    address = server.address;
    const { status } = await peer.client().check({}, { timeoutMs: 5_000 });
    assert.equal(status, 1);
  }
  assert.throws(
    () =>
      openPeer(
        Health,
        () => {
          throw new Error("not started");
        },
        { telemetry, actor: "test" },
      ).client(),
    /not started/,
  );
});
