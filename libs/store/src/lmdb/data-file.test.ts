import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@heddle/testkit";
import { type LmdbEnvironment, openLmdbEnvironment } from "./environment.ts";

const key = Buffer.from("k");
const open = (path: string): LmdbEnvironment =>
  openLmdbEnvironment({ path, mapBytesMax: 16 << 20 });

/** A store with a record in it, closed; its bytes. */
async function written(path: string): Promise<Buffer> {
  await using environment = open(path);
  const database = environment.database("a");
  await environment.write(1_000, () => void database.putSync(key, Buffer.alloc(1_000, 1)));
  await environment[Symbol.asyncDispose]();
  return readFileSync(join(path, "data.mdb"));
}

test("a data file that is garbage, or damaged where it begins, is refused by its name, and left as it is", async () => {
  using folder = temporaryFolder("data-file");
  const good = await written(folder.path);
  const file = folder.file("data.mdb");
  const pageSize = good.readUInt32LE(48);
  const over = (position: number, bytes: Uint8Array): Buffer => {
    const bad = Buffer.from(good);
    bad.set(bytes, position);
    return bad;
  };
  const bad: Record<string, Buffer> = {
    "random bytes": randomBytes(good.length),
    zeros: Buffer.alloc(good.length),
    "a text": Buffer.from("no store"),
    "garbage in the first page": over(0, randomBytes(pageSize)),
    "garbage in the second page": over(pageSize, randomBytes(pageSize)),
    "zeros in the second page": over(pageSize, Buffer.alloc(pageSize)),
    "the first page alone": good.subarray(0, pageSize),
    "both meta pages alone": good.subarray(0, 2 * pageSize),
    "another version": over(28, Buffer.of(99)),
    "pages of another size": over(48, Buffer.of(1, 1)),
    "a root that is not there": over(136, Buffer.alloc(6, 0x11)),
  };
  for (const [what, bytes] of Object.entries(bad)) {
    writeFileSync(file, bytes);
    const refused = { code: "DATA_LOSS", reason: "STORE_DAMAGED", message: /data\.mdb .*backup/ };
    assert.throws(() => open(folder.path), refused, what);
    assert.deepEqual(readFileSync(file), bytes, what);
  }
  writeFileSync(file, good);
  await using again = open(folder.path);
  assert.equal(again.database("a").getBinary(key)?.length, 1_000);
});

test("a data file that was made and never written to is a new store", async () => {
  using folder = temporaryFolder("data-file");
  writeFileSync(folder.file("data.mdb"), "");
  const good = await written(folder.path);
  assert.ok(good.length > 0);
});
