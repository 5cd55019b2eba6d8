import assert from "node:assert/strict";
import { test } from "node:test";
import { Stage } from "@heddle/proto/registry";
import { definition } from "../fixtures/definition.ts";
import {
  dataset,
  judge,
  live,
  openBench,
  openRun,
  passed,
  soon,
  trained,
} from "../fixtures/registry.ts";

test("only a version that passed goes live, and one that was live may return", async () => {
  await using bench = await openBench();
  const { registry, clock } = bench;
  const opened = await openRun(bench);
  const { version: first } = await registry.registerVersion(await trained(bench, opened), soon);
  await assert.rejects(registry.setStage(live(first), soon), { reason: "VERSION_NOT_PASSED" });
  await judge(bench, first, "fail");
  await assert.rejects(registry.setStage(live(first), soon), {
    reason: "VERSION_NOT_PASSED",
    message: /its verdict is fail/,
  });
  await judge(bench, first, "pass");
  const request = live(first);
  assert.equal((await registry.setStage(request, soon)).previousLive, "");
  assert.equal((await registry.setStage(request, soon)).previousLive, "");
  const second = await passed(bench, first);
  clock.nowMs += 1_000;
  assert.equal((await registry.setStage(live(second), soon)).previousLive, first);
  const stage = async (version: string) =>
    (await registry.getVersion({ version }, soon)).version?.stage;
  assert.deepEqual([await stage(first), await stage(second)], [Stage.ARCHIVED, Stage.LIVE]);
  await judge(bench, first, "fail");
  clock.nowMs += 1_000;
  assert.equal((await registry.setStage(live(first), soon)).previousLive, second);
  await assert.rejects(judge(bench, first, "splendid"), { reason: "VERDICT_INVALID" });
  await assert.rejects(registry.setStage({ ...live(first), stage: Stage.CANDIDATE }, soon), {
    reason: "STAGE_INVALID",
  });
});

test("a version whose recipe does not resolve cannot go live", async () => {
  await using bench = await openBench();
  const version = await passed(bench);
  bench.datasets.clear();
  await assert.rejects(bench.registry.setStage(live(version), soon), {
    reason: "RECIPE_UNRESOLVED",
    message: /its dataset .* is gone/,
  });
  bench.datasets.add(dataset);
  const child = await passed(bench, version);
  const versions = bench.deps.store.collection<object>("versions");
  // The relay writes, too, until its events are out.
  while ((await versions.pending(1)).length > 0)
    await new Promise((resolve) => setTimeout(resolve, 5));
  await versions.delete(version, (await versions.get(version))?.revision ?? 0);
  await assert.rejects(bench.registry.setStage(live(child), soon), {
    reason: "RECIPE_UNRESOLVED",
    message: /the version it started from, .* is gone/,
  });
});

test("a version whose manifest is gone cannot go live", async () => {
  await using bench = await openBench();
  const version = await passed(bench);
  const { version: known } = await bench.registry.getVersion({ version }, soon);
  await bench.objects.delete(known?.manifest?.name ?? "");
  await assert.rejects(bench.registry.setStage(live(version), soon), {
    reason: "RECIPE_UNRESOLVED",
  });
});

test("a clock that is set back puts no change of what is live before the one that it follows", async () => {
  await using bench = await openBench();
  const { registry, clock } = bench;
  const [first, second] = [await passed(bench), await passed(bench, "", '{"threads":2}')];
  const moment = clock.nowMs;
  await registry.setStage(live(first), soon);
  clock.nowMs -= 60_000;
  await registry.setStage(live(second), soon);
  const { history } = await registry.whatWasLive({ model: definition.name }, soon);
  assert.deepEqual(
    history.map(({ version, timeMs }) => [version, timeMs]),
    [first, second].map((version) => [version, BigInt(moment)]),
  );
  const before = { model: definition.name, timeMs: BigInt(moment - 1) };
  assert.equal((await registry.whatWasLive(before, soon)).version, undefined);
});

test("what was live is known for every moment", async () => {
  await using bench = await openBench();
  const { registry, clock } = bench;
  const start = clock.nowMs;
  const first = await passed(bench);
  const second = await passed(bench, first);
  for (const version of [first, second, first]) {
    clock.nowMs += 1_000;
    await registry.setStage(live(version), soon);
  }
  clock.nowMs += 1_000;
  await registry.setStage({ ...live(first), stage: Stage.ARCHIVED }, soon);
  const at = async (timeMs: number) =>
    (await registry.whatWasLive({ model: definition.name, timeMs: BigInt(timeMs) }, soon)).version
      ?.version;
  const seen = [];
  for (const after of [999, 1_000, 2_500, 3_000, 4_000]) seen.push(await at(start + after));
  assert.deepEqual(seen, [undefined, first, second, first, undefined]);
  const { history } = await registry.whatWasLive({ model: definition.name }, soon);
  assert.deepEqual(
    history.map(({ number, actor }) => [number, actor]),
    [
      [1, "grace"],
      [2, "grace"],
      [1, "grace"],
      [0, "grace"],
    ],
  );
  await assert.rejects(registry.whatWasLive({ model: "none" }, soon), { reason: "UNKNOWN_MODEL" });
});

test("racing requests to go live end with one live version and an unbroken history", async () => {
  await using bench = await openBench();
  const { registry } = bench;
  const versions = [await passed(bench)];
  for (let i = 1; i < 5; i++) versions.push(await passed(bench, "", `{"threads":${i}}`));
  const previous = await Promise.all(
    versions.map(async (version) => (await registry.setStage(live(version), soon)).previousLive),
  );
  const { version, history } = await registry.whatWasLive({ model: definition.name }, soon);
  const order = history.map((change) => change.version);
  assert.equal(version?.version, order.at(-1));
  assert.deepEqual(
    versions.map((_, i) => previous[versions.indexOf(order[i] ?? "")]),
    ["", ...order.slice(0, -1)],
  );
  const stages = (await registry.listVersions({ model: definition.name }, soon)).versions;
  assert.equal(stages.filter(({ stage }) => stage === Stage.LIVE).length, 1);
});
