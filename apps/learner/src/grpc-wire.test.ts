import assert from "node:assert/strict";
import { test } from "node:test";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import { implement, serve } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { openGrpcWire } from "./grpc-wire.ts";

const telemetry = silentTelemetry();
const { signal } = new AbortController();

test("an answer of another size than was asked for is refused, not trained on", async () => {
  const never = () => Promise.reject(new Error("not called"));
  let rows = [new Uint8Array(4)];
  let file: { object?: object } = {};
  const liar = implement(ParameterServerService, {
    configure: async () => ({ step: 0n }),
    pull: async () => ({ rows, dense: new Uint8Array(), step: 0n }),
    push: never,
    snapshot: async () => file,
    restore: never,
    openLane: never,
    stats: never,
  });
  await using server = await serve({ implementations: [liar], telemetry });
  const optimizer = { rate: 0.1, initialAccumulator: 0.1 };
  const declaration = {
    run: "r",
    fence: 1,
    lag: 0,
    tables: [{ name: "t", dimension: 2, initialDeviation: 0, seed: 0, ...optimizer }],
    dense: [{ name: "bias", initial: Float32Array.of(1), ...optimizer }],
  } as const;
  const addresses = [server.address];
  const options = { addresses, actor: "j", telemetry, traceEverySteps: 1, signal };
  await using wire = await openGrpcWire(declaration, options);
  const refused = { code: "INTERNAL", reason: "BAD_SHARD_ANSWER" };
  await assert.rejects(wire.pull(1, BigUint64Array.of(5n)), refused);
  rows = [new Uint8Array(8)];
  await assert.rejects(wire.pull(1, BigUint64Array.of(5n)), refused, "the bias is missing");
  await assert.rejects(wire.snapshot(1, "p"), refused);
  file = { object: { name: "f", bytes: 7n, sha256: "s" } };
  assert.deepEqual(await wire.snapshot(1, "p"), [{ name: "f", bytes: 7, sha256: "s" }]);
});
