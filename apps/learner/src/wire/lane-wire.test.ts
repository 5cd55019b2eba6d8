import assert from "node:assert/strict";
import { test } from "node:test";
import { silentTelemetry, type Telemetry } from "@heddle/telemetry";
import { temporaryFolder } from "@heddle/testkit";
import { startFalseShard } from "../fixtures/false-shard.ts";
import { startTestShards } from "../fixtures/shards.ts";
import { openLaneWire } from "./lane-wire.ts";

const { signal } = new AbortController();
const ids = BigUint64Array.of(5n);
const optimizer = { kind: "adagrad", rate: 0.1, initialAccumulator: 0.1, epsilon: 1e-7 } as const;
const declaration = {
  run: "r",
  fence: 1,
  lag: 0,
  tables: [{ name: "t", dimension: 1, initialDeviation: 0, seed: 0, optimizer }],
  dense: [],
} as const;

/** Telemetry that keeps log lines and the names of spans. */
function listening(): { readonly said: string[]; readonly telemetry: Telemetry } {
  const said: string[] = [];
  const note = (_fields: object, message: string): void => void said.push(message);
  const silent = silentTelemetry();
  const log = { error: note, warn: note, info: note, debug: note };
  const span: Telemetry["span"] = (name, options, run) => {
    if (/Pull$/.test(name)) said.push(`span ${String(options.attributes?.["rpc.system"])}`);
    return silent.span(name, options, run);
  };
  return { said, telemetry: { ...silent, log, span } };
}

test("steps go by lane, and every n-th leaves a span", async () => {
  await using shard = await startFalseShard();
  const { said, telemetry } = listening();
  const options = { addresses: [shard.address], actor: "j", telemetry, traceEverySteps: 2, signal };
  await using wire = await openLaneWire(declaration, options);
  for (const step of [1, 2, 3]) await wire.pull(step, ids);
  assert.equal(shard.byLane, 3);
  assert.deepEqual(said, ["lane opened", "span heddle-lane"]);
});

test("a lost lane is said once; the call that it left open and all later ones go by grpc", async () => {
  await using shard = await startFalseShard();
  const { said, telemetry } = listening();
  const options = { addresses: [shard.address], actor: "j", telemetry, traceEverySteps: 9, signal };
  await using wire = await openLaneWire(declaration, options);
  await wire.pull(1, ids);
  await shard.loseLanes();
  for (const step of [2, 3]) assert.equal((await wire.pull(step, ids)).rows["t"]?.length, 1);
  assert.equal(shard.byLane, 1);
  assert.deepEqual(said, ["lane opened", "lane lost, steps go by grpc"]);
});

test("a lane that cannot be had is said, and steps go by grpc", async () => {
  await using full = await startFalseShard({ lanesMax: 0 });
  using folder = temporaryFolder("wire");
  await using gang = await startTestShards(1, folder.path, "none");
  for (const address of [full.address, ...gang.addresses]) {
    const { said, telemetry } = listening();
    const options = { addresses: [address], actor: "j", telemetry, traceEverySteps: 9, signal };
    await using wire = await openLaneWire(declaration, options);
    assert.equal((await wire.pull(1, ids)).rows["t"]?.length, 1);
    assert.deepEqual(said, ["no lane, steps go by grpc"]);
  }
});
