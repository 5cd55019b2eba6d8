import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readPartition } from "@heddle/feature-engine";
import { DatasetUse } from "@heddle/proto/feature-store";
import { items, itemsCsv, members, membersCsv, offers, offersCsv, ranker, sales, salesCsv, view, weeks } from "./fixtures/shop.ts";
import { call, openWorld, type World } from "./fixtures/world.ts";

let world: World;
before(async () => {
  world = await openWorld();
  await world.apply(sales, offers, items, members, view);
  await world.ingestText("items", "items.csv", itemsCsv());
  await world.ingestText("members", "members.csv", membersCsv());
  for (const week of weeks) {
    await world.ingestText("offers", `offers-${week}.csv`, offersCsv(week));
    await world.ingestText("sales", `sales-${week}.csv`, salesCsv(week));
  }
});
after(() => world[Symbol.asyncDispose]());

const training = { fromPartition: "", toPartition: "3", use: "training" } as const;

test("the same rows have the same name, whatever the threads and however often they are built", async () => {
  const first = await world.build(ranker, training);
  assert.ok(first.rows > 0 && first.positives > 0);
  assert.equal((await world.build(ranker, training)).dataset, first.dataset);
  for (const threads of [1, 4]) {
    await using other = await openWorld();
    await other.apply(sales, offers, items, members, view);
    const { writeFileSync, readFileSync } = await import("node:fs");
    writeFileSync(`${other.folder}/pseudonym.key`, readFileSync(`${world.folder}/pseudonym.key`));
    await other[Symbol.asyncDispose]().catch(() => undefined);
  }
});

test("online values equal those of a dataset row at the same moment", async () => {
  const { dataset } = await world.build(ranker, { fromPartition: "4", toPartition: "4", use: "ranking" });
  const { manifest } = await world.featureStore.getDataset({ dataset }, call);
  const partition = manifest!.partitions[0]!;
  const path = await world.objects.path(partition.object!.name, partition.object!.sha256);
  const batch = await readPartition(path, manifest!.columns as never);
  console.log(batch.rows, manifest!.use === DatasetUse.RANKING);
});
