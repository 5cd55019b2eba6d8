import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isHeddleError } from "@heddle/base";
import { pseudonymOf, readPartition, readPartitionChunks } from "@heddle/feature-engine";
import { type DatasetManifest, DatasetUse } from "@heddle/proto/feature-store";
import { type Column, type ExampleBatch, textAt } from "@heddle/transform";
import { ranker, salesCsv, weekStart } from "../fixtures/shop.ts";
import { call, fillShop, openWorld, pseudonymKeyHex, type World } from "../fixtures/world.ts";

let world: World;
before(async () => {
  world = await openWorld();
  await fillShop(world, 4);
});
after(() => world[Symbol.asyncDispose]());

const training = { fromPartition: "", toPartition: "3", use: "training" } as const;
const ranking = { fromPartition: "4", toPartition: "4", use: "ranking" } as const;

async function manifestOf(dataset: string): Promise<DatasetManifest> {
  return (await world.featureStore.getDataset({ dataset }, call)).manifest!;
}

async function pathOf(manifest: DatasetManifest, partition = 0): Promise<string> {
  const { object } = manifest.partitions[partition]!;
  return world.objects.path(object!.name, object!.sha256);
}

test("the same rows have the same name, whatever the threads", async () => {
  const names = new Set<string>();
  for (const threads of [1, 2, 4]) {
    for (const name of await world.objects.list("partitions/")) await world.objects.delete(name);
    for (const request of [training, ranking])
      names.add((await world.build(ranker, { ...request, threads })).dataset);
  }
  assert.equal(names.size, 2);
});

test("a second build takes the partitions of the first, and an event that matters makes a new one", async () => {
  await using own = await openWorld();
  await fillShop(own, 3);
  const definition = {
    modelDefinitionJson: JSON.stringify(ranker),
    toPartition: "3",
    use: DatasetUse.TRAINING,
  };
  const built = async () =>
    (await own.featureStore.resolveDataset(definition, call)).partitions
      .filter((p) => p.built)
      .map((p) => p.partition);
  const first = await own.build(ranker, training);
  assert.deepEqual(await built(), ["1", "2", "3"]);
  await own.ingestText("sales", "sales-4.csv", salesCsv(4));
  assert.deepEqual(await built(), ["1", "2", "3"], "week 4 is not known in week 3");
  assert.equal((await own.build(ranker, training)).dataset, first.dataset);
  const late = salesCsv(2).split("\n").slice(0, 2).join("\n").replace("2000,", "9999,");
  await own.ingestText("sales", "late.csv", late);
  assert.deepEqual(await built(), ["1"]);
  const { manifest } = await own.featureStore.getDataset({ dataset: first.dataset }, call);
  await own.objects.delete(manifest?.partitions[0]?.object?.name ?? "");
  assert.deepEqual(await built(), [], "a partition whose file is gone is built again");
});

test("a manifest that names other bytes than are stored registers nothing", async () => {
  const { dataset } = await world.build(ranker, training);
  const manifest = await manifestOf(dataset);
  const [first, ...others] = manifest.partitions;
  for (const object of [
    { ...first!.object!, sha256: "0".repeat(64) },
    { ...first!.object!, name: "partitions/none" },
  ]) {
    const rowHash = "1".repeat(64);
    const wrong = { ...manifest, partitions: [{ ...first!, object, rowHash }, ...others] };
    await assert.rejects(
      world.featureStore.commitDataset({ requestId: object.name, manifest: wrong }, call),
      { code: "INVALID_ARGUMENT", reason: "MANIFEST_INVALID", message: /of partition 1 is not/ },
    );
  }
});

test("a manifest counts rows, positives, slices and events, and says how rows were sampled", async () => {
  const { dataset, rows, positives } = await world.build(ranker, training);
  const manifest = await manifestOf(dataset);
  assert.deepEqual([Number(manifest.rows), Number(manifest.positives)], [rows, positives]);
  const byKind = manifest.slices.filter((s) => s.slice.startsWith("kind="));
  assert.equal(
    byKind.reduce((sum, s) => sum + Number(s.rows), 0),
    rows,
  );
  assert.deepEqual(JSON.parse(manifest.samplingJson), { negatives: { perVisit: 3, seed: 7 } });
  assert.equal(Number(manifest.sourceEvents["sales"]), 120);
  for (const { exampleTimeMinMs, exampleTimeMaxMs } of manifest.partitions) {
    assert.ok(exampleTimeMinMs < exampleTimeMaxMs, "its visits are of several moments");
  }
  assert.ok(
    manifest.exampleTimeMinMs >= BigInt(weekStart(1)) &&
      manifest.exampleTimeMaxMs < BigInt(weekStart(4)),
  );
});

test("of a visit's offers not taken some are kept, and they stand for all", async () => {
  const trained = await readAll(
    (await world.build(ranker, { ...training, fromPartition: "3" })).dataset,
  );
  const ranked = await readAll(
    (await world.build(ranker, { fromPartition: "3", toPartition: "3", use: "ranking" })).dataset,
  );
  const weights = sumByVisit(trained, (i) => (trained.label[i] === 1 ? 0 : trained.weight[i]!));
  const offered = sumByVisit(ranked, (i) => 1 - ranked.label[i]!);
  weights.forEach((weight, visit) => assert.ok(Math.abs(weight - offered[visit]!) < 1e-3));
  const kept = sumByVisit(trained, (i) => 1 - trained.label[i]!);
  kept.forEach((count, visit) => assert.equal(count, Math.min(3, offered[visit]!)));
});

async function readAll(dataset: string): Promise<ExampleBatch> {
  const manifest = await manifestOf(dataset);
  return readPartition(await pathOf(manifest), manifest.columns as never);
}

function sumByVisit(batch: ExampleBatch, of: (row: number) => number): number[] {
  const sums: number[] = [];
  batch.visit.forEach((visit, i) => (sums[visit] = (sums[visit] ?? 0) + of(i)));
  return sums;
}

test("a partition read in pieces is the partition, and no piece splits a visit", async () => {
  const manifest = await manifestOf((await world.build(ranker, ranking)).dataset);
  const path = await pathOf(manifest);
  const whole = await readPartition(path, manifest.columns as never);
  let at = 0;
  let last = -1;
  for await (const piece of readPartitionChunks(path, manifest.columns as never, { rowsMin: 7 })) {
    assert.ok(piece.visit[0]! > last);
    last = piece.visit.at(-1)!;
    for (const name of Object.keys(whole.features)) {
      for (let i = 0; i < piece.rows; i++) {
        assert.deepEqual(cell(piece.features[name]!, i), cell(whole.features[name]!, at + i));
      }
    }
    at += piece.rows;
  }
  assert.equal(at, whole.rows);
});

function cell(column: Column, row: number): string | number | null {
  if (column.type === "category") return textAt(column.dictionary, column.codes[row]!) ?? null;
  return column.valid?.[row] === 0 ? null : column.values[row]!;
}

test("online values equal those of a dataset row at the same moment", async () => {
  const batch = await readAll((await world.build(ranker, ranking)).dataset);
  const members = new Map(
    Array.from({ length: 6 }, (_, m) => [
      String(pseudonymOf(pseudonymKeyHex, String(m), "int64")),
      m,
    ]),
  );
  const modelDefinitionJson = JSON.stringify(ranker);
  let compared = 0;
  // Newest values win, so the moments are asked in order.
  const visits = [...new Set(batch.visit)].sort((a, b) => startOf(batch, a) - startOf(batch, b));
  for (const visit of visits) {
    const asOfTimeMs = BigInt(startOf(batch, visit));
    await world.featureStore.materialise(
      { requestId: `m/${visit}`, modelDefinitionJson, asOfTimeMs },
      call,
    );
    const rows = [...batch.visit.keys()].filter((i) => batch.visit[i] === visit);
    const member = members.get(String(cell(batch.features["who"]!, rows[0]!)));
    for (const shop of [0, 1]) {
      const examplesJson = JSON.stringify([{ member, shop, week: 4 }]);
      const { rowsJson } = await world.featureStore.getOnlineFeatures(
        { modelDefinitionJson, examplesJson, withCandidates: true },
        call,
      );
      const online = JSON.parse(rowsJson) as Record<string, unknown>[];
      if (online.length !== rows.length) continue;
      for (const i of rows) {
        const same = online.find((row) => row["what"] === cell(batch.features["what"]!, i));
        if (same === undefined || same["place"] !== cell(batch.features["place"]!, i)) continue;
        for (const name of Object.keys(batch.features))
          assert.deepEqual(same[name], cell(batch.features[name]!, i), name);
        compared += 1;
      }
    }
  }
  assert.ok(compared >= batch.rows);
});

const startOf = (batch: ExampleBatch, visit: number): number =>
  batch.exampleTimeMs[batch.visit.indexOf(visit)]!;

test("a request for values nobody materialised, or without its keys, is told what to do", async () => {
  const modelDefinitionJson = JSON.stringify({ ...ranker, name: "other" });
  const ask = (examplesJson: string, json = modelDefinitionJson) =>
    world.featureStore.getOnlineFeatures({ modelDefinitionJson: json, examplesJson }, call);
  await assert.rejects(ask("[{}]"), (e) => isHeddleError(e, "NOT_MATERIALISED"));
  await world.featureStore.materialise(
    { requestId: "m/0", modelDefinitionJson, asOfTimeMs: 0n },
    call,
  );
  const again = { requestId: "m/1", modelDefinitionJson, asOfTimeMs: 0n };
  const { rows } = await world.featureStore.materialise(again, call);
  assert.equal(rows, 0n, "current values are not computed again");
  await assert.rejects(ask("[{}]"), (e) => isHeddleError(e, "EXAMPLES_INVALID"));
  await assert.rejects(ask("{"), (e) => isHeddleError(e, "EXAMPLES_INVALID"));
});

test("a key that is the text null is a key as others are", async () => {
  await using own = await openWorld();
  await fillShop(own, 1);
  await own.ingestText("items", "odd.csv", "item,kind,grams\nnull,odd,1");
  const modelDefinitionJson = JSON.stringify(ranker);
  const { featureStore } = own;
  await featureStore.materialise(
    { requestId: "null/0", modelDefinitionJson, asOfTimeMs: BigInt(weekStart(4)) },
    call,
  );
  const asked = ["null", null].map((item) => ({ member: 1, shop: 0, week: 4, item, place: "end" }));
  const { rowsJson } = await featureStore.getOnlineFeatures(
    { modelDefinitionJson, examplesJson: JSON.stringify(asked) },
    call,
  );
  const rows = JSON.parse(rowsJson) as { kind: unknown }[];
  assert.deepEqual(
    rows.map(({ kind }) => kind),
    ["odd", null],
  );
});

test("values of an older moment do not take the place of newer ones", async () => {
  const modelDefinitionJson = JSON.stringify({ ...ranker, name: "older" });
  const materialise = (requestId: string, asOfTimeMs: bigint) =>
    world.featureStore.materialise({ requestId, modelDefinitionJson, asOfTimeMs }, call);
  const examplesJson = JSON.stringify([{ member: 1, shop: 0, week: 4 }]);
  const read = async () => {
    const asked = { modelDefinitionJson, examplesJson, withCandidates: true };
    const { rowsJson, asOfTimeMs } = await world.featureStore.getOnlineFeatures(asked, call);
    return { rowsJson, asOfTimeMs };
  };
  await materialise("older/0", 0n);
  const newest = await read();
  await materialise("older/1", BigInt(weekStart(2)));
  assert.deepEqual(await read(), newest);
});

test("a reader is granted a dataset for what its sources allow, and only that", async () => {
  const { dataset } = await world.build(ranker, training);
  const read = (purpose: string) =>
    world.featureStore.grantRead({ dataset, purpose, reader: "job-1" }, call);
  const grant = await read("ranking");
  assert.equal(grant.manifest?.dataset, dataset);
  assert.ok(grant.expiresTimeMs > BigInt(world.clock.nowMs));
  await assert.rejects(read("advertising"), (e) => isHeddleError(e, "PURPOSE_NOT_ALLOWED"));
  await assert.rejects(world.build({ ...ranker, purpose: "advertising" }, training), (e) =>
    isHeddleError(e, "PURPOSE_NOT_ALLOWED"),
  );
  await assert.rejects(
    world.featureStore.grantRead({ dataset: "00", purpose: "ranking", reader: "r" }, call),
    (e) => isHeddleError(e, "UNKNOWN_DATASET"),
  );
});

test("a dataset may be read for what each of its sources allows, and for no more", async () => {
  await using own = await openWorld();
  await fillShop(own, 2, { sales: "advertising", offers: "advertising", items: "research" });
  const { dataset } = await own.build(ranker, { ...training, toPartition: "2" });
  const read = (purpose: string) =>
    own.featureStore.grantRead({ dataset, purpose, reader: "job-1" }, call);
  await read("ranking");
  for (const purpose of ["advertising", "research"]) {
    await assert.rejects(read(purpose), { reason: "PURPOSE_NOT_ALLOWED" });
  }
});

test("a range without events and a dataset without rows are errors that say what had nothing", async () => {
  await assert.rejects(
    world.build(ranker, { fromPartition: "7", toPartition: "9", use: "training" }),
    (e) =>
      isHeddleError(e, "NO_EVENTS") &&
      /sales/.test(e.message) &&
      /"7" to "9", and has some of "\d" to "\d": ingest/.test(e.message),
  );
  await using own = await openWorld();
  await fillShop(own, 1);
  // Sales of week 2 without its offers: no visit met a candidate.
  await own.ingestText("sales", "sales-2.csv", salesCsv(2));
  await assert.rejects(
    own.build(ranker, { fromPartition: "2", toPartition: "2", use: "training" }),
    (e) =>
      isHeddleError(e, "EMPTY_DATASET") &&
      /partitions 2 to 2/.test(e.message) &&
      /sales 80 events/.test(e.message),
  );
});

test("a branch has its own events and leaves main as it was", async () => {
  await using own = await openWorld();
  await fillShop(own, 2);
  const main = await own.build(ranker, training);
  const dropped = salesCsv(3)
    .split("\n")
    .filter((_, i) => i % 2 === 0)
    .join("\n");
  await own.ingestText("sales", "dropped.csv", dropped, { branch: "dropped" });
  await own.ingestText(
    "offers",
    "offers-3.csv",
    (await import("../fixtures/shop.ts")).offersCsv(3),
  );
  assert.equal((await own.build(ranker, training)).dataset, main.dataset);
  const branched = await own.build(ranker, { ...training, branches: { sales: "dropped" } });
  assert.ok(branched.rows > main.rows);
  const { manifest } = await own.featureStore.getDataset({ dataset: branched.dataset }, call);
  assert.deepEqual({ ...manifest!.branches }, { sales: "dropped" });
  assert.equal((await own.featureStore.getSource({ source: "sales" }, call)).segments.length, 2);
  assert.equal(
    (await own.featureStore.getSource({ source: "sales", branch: "dropped" }, call)).segments
      .length,
    3,
  );
});
