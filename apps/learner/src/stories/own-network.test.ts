import assert from "node:assert/strict";
import { test } from "node:test";
import { openFileObjects } from "@heddle/objects";
import { attempt } from "../fixtures/attempt.ts";
import { memoryReader } from "../fixtures/data.ts";
import { moduleDefinition } from "../fixtures/module.ts";
import { lastSnapshot } from "../fixtures/last-snapshot.ts";
import { openWorld } from "../fixtures/world.ts";
import type { ExampleReader } from "../data/reader.ts";
import { readParameters } from "../cuts/snapshot.ts";

/** Fails, as a lost disk would, when that partition is read for training (the first read is the fit's). */
function failingAt(partition: string): ExampleReader {
  let reads = 0;
  const reader = memoryReader();
  return {
    read: async function* (wanted, features) {
      if (wanted.partition === partition && ++reads > 1) throw new Error("disk lost");
      yield* reader.read(wanted, features);
    },
  };
}

test("a network with dropout and moving statistics resumes on other shards, to the same version", async () => {
  await using undisturbed = await openWorld(moduleDefinition(), 1);
  const expected = await attempt(undisturbed.input(1), memoryReader());

  await using world = await openWorld(moduleDefinition(), 2);
  await assert.rejects(attempt(world.input(1), failingAt("9")), /disk lost/);
  await world.loseShards(3);
  assert.equal((await attempt(world.input(2), memoryReader())).version, expected.version);

  const training = world.remembered.versions.get(expected.version)?.training;
  assert.match(training?.stepExecutor ?? "", /^onnx [\d.]+ \(graph\)$/);
  assert.equal(training?.fallbackReason, "");

  const objects = await openFileObjects({ path: world.objects });
  const snapshot = await lastSnapshot(world, expected.run);
  const { dense } = await readParameters(objects, snapshot.layers.at(-1)?.files ?? []);
  // Each step of n of 16 rows moves it by n / 16: 134 examples in all.
  const steps = dense["steps"]?.values[0] ?? NaN;
  assert.ok(Math.abs(steps - 134 / 16) < 1e-5, String(steps));
  assert.ok(dense["norm_mean"]?.values.some((x) => x !== 0));
});
