import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "@heddle/base";
import { judge, openBench, openRun, passed, requestId, soon } from "./fixtures/registry.ts";

test("a change under a whole name asks the store for a write, and for another that its event is in the log", async () => {
  await using bench = await openBench();
  const { registry, objects, calls } = bench;
  const { run } = await openRun(bench);
  const { name, bytes, sha256: digest } = await objects.put("snapshot", Buffer.from("snapshot"));
  const manifest = { name, bytes: BigInt(bytes), sha256: digest };
  const record = (step: bigint, of: string) =>
    registry.recordSnapshot(
      { requestId: requestId(), run: of, snapshot: { step, manifest } },
      soon,
    );
  await record(1n, run);
  calls.clear();
  const changes = 30n;
  for (let step = 2n; step < 2n + changes; step++) await record(step, run);
  assert.equal(calls.get("list"), undefined);
  // The relay may have what came before still to trim, and looks each second.
  const asked = [...calls.values()].reduce((sum, count) => sum + count, 0);
  assert.ok(asked <= 2 * Number(changes) + 12, JSON.stringify([...calls]));
  await record(100n, run.slice(0, 8).toUpperCase());
  assert.equal(calls.get("list"), 1);
});

test("a whole name of nothing is refused as a prefix of nothing is", async () => {
  await using bench = await openBench();
  const version = await passed(bench);
  for (const none of [sha256("none"), "abcdef"]) {
    await assert.rejects(judge(bench, none, "pass"), { reason: "UNKNOWN_VERSION" });
  }
  await judge(bench, version.toUpperCase(), "fail");
  const { version: judged } = await bench.registry.getVersion({ version }, soon);
  assert.equal(judged?.verdict, "fail");
});
