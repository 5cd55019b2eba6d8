import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { HeddleError } from "@heddle/base";
import { type LmdbEnvironment, openLmdbEnvironment, queuedWritesMax } from "./environment.ts";
import { openLmdbStore } from "./lmdb.ts";
import { openRecord, sealRecord } from "../record.ts";

function open(t: TestContext, mapBytesMax = 64 << 20): LmdbEnvironment {
  const path = mkdtempSync(join(tmpdir(), "heddle-environment-"));
  const environment = openLmdbEnvironment({ path, mapBytesMax });
  t.after(async () => {
    await environment[Symbol.asyncDispose]();
    rmSync(path, { recursive: true });
  });
  return environment;
}

test("a full map refuses what does not fit, keeps what it has, and takes writes after a removal", async (t) => {
  const notes = openLmdbStore(open(t, 2 << 20), "test").collection<{ text: string }>("notes");
  const text = "x".repeat(200_000);
  let kept = 0;
  const full = { code: "RESOURCE_EXHAUSTED", reason: "STORE_FULL" };
  await assert.rejects(async () => {
    for (; kept < 100; kept++) await notes.put(`n${kept}`, { text }, 0);
  }, full);
  assert.ok(kept >= 5 && kept <= 10, `${kept} documents fitted`);
  assert.equal((await notes.list()).items.length, kept);
  await notes.delete("n0", 1);
  await notes.delete("n1", 1);
  await notes.put("again", { text }, 0);
  assert.equal((await notes.list()).items.length, kept - 1);
});

test("a change that breaks after its first write is rolled back, and its neighbours still commit", async (t) => {
  const environment = open(t);
  const database = environment.database("a");
  const put = (key: string) => () => void database.putSync(Buffer.from(key), Buffer.from("1"));
  const outcomes = await Promise.allSettled([
    environment.write(1, put("before")),
    environment.write(1, () => {
      put("torn")();
      throw new TypeError("a bug");
    }),
    environment.write(1, () => {
      throw new HeddleError("ABORTED", "REVISION_CONFLICT", "refused before its first write");
    }),
    environment.write(1, put("behind")),
  ]);
  assert.deepEqual(
    outcomes.map((o) => (o.status === "fulfilled" ? "done" : (o.reason as HeddleError).reason)),
    ["done", "STORE_FAILED", "REVISION_CONFLICT", "done"],
  );
  assert.deepEqual([...database.getKeys()].map(String), ["before", "behind"]);
});

test("too many waiting writes and writes after closing are refused", async (t) => {
  const environment = open(t);
  const database = environment.database("a");
  const write = () =>
    environment.write(1, () => void database.putSync(Buffer.from("k"), Buffer.from("1")));
  const writes = Array.from({ length: queuedWritesMax + 1 }, write);
  const outcomes = await Promise.allSettled(writes);
  const refused = outcomes.filter((o) => o.status === "rejected");
  assert.equal(refused.length, 1);
  assert.equal((refused[0]?.reason as HeddleError).reason, "STORE_BUSY");
  await environment[Symbol.asyncDispose]();
  await assert.rejects(write(), { code: "UNAVAILABLE", reason: "STORE_CLOSED" });
});

test("closing waits for the writes under way", async (t) => {
  const environment = open(t);
  const database = environment.database("a");
  const write = environment.write(
    1,
    () => void database.putSync(Buffer.from("k"), Buffer.from("1")),
  );
  await environment[Symbol.asyncDispose]();
  await write;
});

test("a record with any byte changed is reported, not returned", async (t) => {
  const sealed = sealRecord(7, Buffer.from("value"));
  assert.deepEqual(openRecord(sealed, "here"), { number: 7, body: Buffer.from("value") });
  for (let at = 0; at < sealed.length; at++) {
    const bad = Buffer.from(sealed);
    bad.writeUInt8(bad.readUInt8(at) ^ 4, at);
    assert.throws(() => openRecord(bad, "here"), { code: "DATA_LOSS", reason: "RECORD_CORRUPT" });
  }
  const environment = open(t);
  const notes = openLmdbStore(environment, "test").collection<object>("notes");
  await notes.put("a", { n: 1 }, 0);
  const raw = environment.database("documents/test/notes");
  await environment.write(1, () => void raw.putSync(Buffer.from("a"), Buffer.from("torn")));
  await assert.rejects(notes.get("a"), { code: "DATA_LOSS", reason: "RECORD_CORRUPT" });
});

test("a folder that is no store is refused with its place", () => {
  assert.throws(
    () => openLmdbEnvironment({ path: "/dev/null/x", mapBytesMax: 1 << 20 }),
    /dev\/null/,
  );
});

test("databases may be opened while writes are under way", async (t) => {
  const environment = open(t);
  const first = environment.database("first");
  const writes: Promise<void>[] = [];
  for (let n = 0; n < 40; n++) {
    const key = Buffer.from(`k${n}`);
    writes.push(environment.write(1, () => void first.putSync(key, key)));
    if (n % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
    const other = environment.database(`other-${n}`);
    writes.push(environment.write(1, () => void other.putSync(key, key)));
  }
  await Promise.all(writes);
  assert.equal([...first.getKeys()].length, 40);
  assert.equal(environment.database("other-39").getBinary(Buffer.from("k39"))?.toString(), "k39");
});
