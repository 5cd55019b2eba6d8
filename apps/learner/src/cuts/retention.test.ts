import assert from "node:assert/strict";
import { test } from "node:test";
import { openFileObjects } from "@heddle/objects";
import { temporaryFolder } from "@heddle/testkit";
import { deleteOlder, prefixOf } from "./retention.ts";

test("once a snapshot is recorded, all files of cuts up to its own go, but for those that it names", async () => {
  using folder = temporaryFolder("retention");
  const objects = await openFileObjects({ path: folder.path });
  const at = (step: number, name: string) => `${prefixOf("r", step)}/${name}`;
  const kept = [at(2, "base"), at(10, "manifest"), at(10, "shard-0"), at(11, "shard-0")];
  // Of step 10 also what an attempt left that was lost before it recorded its own.
  const gone = [at(2, "manifest"), at(9, "shard-0"), at(10, "life-1")];
  const others = [prefixOf("other", 1), "runs/r/snapshots/elsewhere"];
  for (const name of [...kept, ...gone, ...others]) await objects.put(name, Buffer.from(name));
  await deleteOlder(objects, "r", 10, kept.slice(0, 3));
  assert.deepEqual(await objects.list("runs/"), [...kept, ...others].sort());
});
