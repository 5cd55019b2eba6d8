import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bench, openBench, soon } from "./fixtures/bench.ts";
import { definition, rows, timeMs, writeVersion } from "./fixtures/model.ts";

const model = definition.name;
const asked = { model, rowsJson: JSON.stringify(rows), timeMs: BigInt(timeMs) };

async function routed(bench: Bench, seed: number, embeddingRows?: number): Promise<string> {
  const manifest = await writeVersion(bench.objects, bench.executor, seed, {}, embeddingRows);
  await bench.load(manifest);
  await bench.server.route({ model, version: manifest.sha256 }, soon);
  return manifest.sha256;
}

test("a loaded version gets no traffic until it is routed", async () => {
  await using bench = await openBench();
  const { server } = bench;
  await assert.rejects(server.rank(asked, soon), { reason: "UNKNOWN_MODEL" });
  const manifest = await writeVersion(bench.objects, bench.executor, 1);
  const digest = await bench.load(manifest);
  await assert.rejects(server.predict(asked, soon), { reason: "UNKNOWN_MODEL" });
  const before = await server.loaded({}, soon);
  assert.deepEqual(
    before.versions.map(({ routed, memoryDigest }) => [routed, memoryDigest]),
    [[false, digest]],
  );
  const golden = await server.golden({ version: manifest.sha256 }, soon);
  assert.equal(golden.outputs.length, rows.length);
  assert.ok(golden.error <= 1e-5);
  assert.equal((await server.route({ model, version: manifest.sha256 }, soon)).previous, "");
  const { predictions, version } = await server.predict(asked, soon);
  assert.equal(version, manifest.sha256);
  assert.deepEqual(predictions, golden.outputs, "serving and golden rows are the same rows");
});

test("of routes that are asked for at once the last one holds", async () => {
  await using bench = await openBench();
  const { server } = bench;
  // Looking at the memory of the one takes far longer than at that of the other.
  const [large, small] = [await routed(bench, 1, 100_000), await routed(bench, 2)];
  for (const last of [small, ""]) {
    await Promise.all([large, last].map((version) => server.route({ model, version }, soon)));
    const { versions } = await server.loaded({}, soon);
    assert.equal(versions.find((one) => one.routed)?.version ?? "", last);
  }
});

test("rows are ranked by score, highest first, and cut to the limit", async () => {
  await using bench = await openBench();
  const version = await routed(bench, 1);
  const { predictions } = await bench.server.predict(asked, soon);
  const all = await bench.server.rank(asked, soon);
  assert.equal(all.version, version);
  const best = predictions.map((score, row) => ({ row, score })).sort((a, b) => b.score - a.score);
  assert.deepEqual(
    all.ranked.map(({ row, score }) => ({ row, score })),
    best,
  );
  const two = await bench.server.rank({ ...asked, limit: 2 }, soon);
  assert.deepEqual(
    two.ranked.map(({ row }) => row),
    best.slice(0, 2).map(({ row }) => row),
  );
});

test("the fallback ranks by its feature when nothing is routed, or when asked", async () => {
  await using bench = await openBench();
  const { server } = bench;
  await bench.load(await writeVersion(bench.objects, bench.executor, 1));
  const order = async (request: object) => {
    const { ranked, version } = await server.rank({ ...asked, ...request }, soon);
    return [version, ...ranked.map(({ row }) => row)];
  };
  assert.deepEqual(await order({}), ["", 2, 0, 1]);
  const version = await routed(bench, 2);
  assert.equal((await order({}))[0], version);
  assert.deepEqual(await order({ fallback: true }), ["", 2, 0, 1]);
  assert.equal((await server.route({ model, version: "" }, soon)).previous, version);
  assert.deepEqual(await order({}), ["", 2, 0, 1]);
  const alike = await writeVersion(bench.objects, bench.executor, 3, {
    fallback: { name: "none" },
  });
  await bench.load(alike);
  assert.deepEqual(await order({}), ["", 0, 1, 2]);
});

test("several versions serve side by side, each answer is of one, and its span names it", async () => {
  await using bench = await openBench();
  const { server, spans } = bench;
  const first = await routed(bench, 1);
  const one = (await server.predict(asked, soon)).predictions;
  const second = await routed(bench, 2);
  const two = (await server.predict(asked, soon)).predictions;
  assert.notDeepEqual(one, two);
  const asks = Array.from({ length: 40 }, async (_, i) => {
    if (i % 4 === 0) await server.route({ model, version: i % 8 === 0 ? first : second }, soon);
    return server.predict(asked, soon);
  });
  for (const { version, predictions } of await Promise.all(asks)) {
    assert.deepEqual(predictions, version === first ? one : two);
  }
  const answers = spans.filter((span) => span["heddle.version"] === first);
  assert.ok(answers.length > 0);
  assert.match(String(answers[0]?.["heddle.run"]), /^[0-9a-f]{64}$/);
});

test("a version that gets traffic stays, one that gets none can go", async () => {
  await using bench = await openBench({ loadedVersionsMax: 2 });
  const { server } = bench;
  const first = await routed(bench, 1);
  const second = await routed(bench, 2);
  await assert.rejects(routed(bench, 3), { reason: "TOO_MANY_VERSIONS" });
  await assert.rejects(server.unload({ version: second }, soon), { reason: "STILL_ROUTED" });
  await server.unload({ version: first }, soon);
  for (const gone of [
    server.unload({ version: first }, soon),
    server.golden({ version: first }, soon),
    server.route({ model, version: first }, soon),
    server.route({ model: "other", version: second }, soon),
  ]) {
    await assert.rejects(gone, { reason: "NOT_LOADED" });
  }
  assert.equal((await server.predict(asked, soon)).version, second);
  await routed(bench, 3);
});

test("bad rows are refused with their place, and no rows have no scores", async () => {
  await using bench = await openBench({ rowsMax: 3 });
  await routed(bench, 1);
  const refused = async (rowsJson: string, reason: string, message: RegExp) =>
    assert.rejects(bench.server.predict({ ...asked, rowsJson }, soon), {
      code: "INVALID_ARGUMENT",
      reason,
      message,
    });
  await refused("[", "ROWS_INVALID", /not JSON/);
  await refused("{}", "ROWS_INVALID", /not an array/);
  await refused("[{}, 1]", "ROWS_INVALID", /row 1/);
  await refused("[{},{},{},{}]", "TOO_MANY_ROWS", /at most 3/);
  await refused('[{"brand":"a","price":1}]', "MISSING_FEATURE", /row 0 has no feature new/);
  await refused('[{"brand":"a","price":"x","new":1}]', "WRONG_TYPE", /feature price of row 0/);
  assert.deepEqual(
    (await bench.server.predict({ ...asked, rowsJson: "[]" }, soon)).predictions,
    [],
  );
});
