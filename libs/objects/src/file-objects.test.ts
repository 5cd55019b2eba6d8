import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { objectsError } from "./errors.ts";
import { openFileObjects } from "./file-objects.ts";
import { startFolderMaker } from "./files.ts";

const putAndTell = fileURLToPath(new URL("./fixtures/put-and-tell.ts", import.meta.url));

function newFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "heddle-objects-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}
function filesUnder(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

for (const step of [
  "put.after-temporary",
  "put.after-data",
  "put.after-name",
  "delete.after-name",
]) {
  for (const visit of step.startsWith("put") ? [1, 3, 6] : [1, 2]) {
    test(`killed at visit ${visit} of ${step}, every acknowledged object reads back, none is corrupt, nothing is left over`, async (t) => {
      const path = newFolder(t);
      const child = spawnSync(process.execPath, [putAndTell, path], {
        env: { ...process.env, HEDDLE_FAILPOINT: `objects.${step}@${visit}` },
        encoding: "utf8",
      });
      assert.equal(child.signal, "SIGKILL", child.stderr);
      const objects = await openFileObjects({ path });
      const lines = child.stdout.trim().split("\n");
      const deleting = lines.flatMap((line) => line.match(/^deleting (.*)/)?.[1] ?? []);
      const names = await objects.list("");
      for (const line of lines) {
        const name = line.match(/^stored (.*)/)?.[1];
        if (name !== undefined && !deleting.includes(name)) assert.ok(names.includes(name), name);
      }
      for (const name of names) {
        assert.deepEqual(await objects.get(name), Buffer.alloc(10_000, Number(name.split("/")[1])));
      }
      assert.deepEqual(readdirSync(join(path, "temporary")), []);
      assert.equal(filesUnder(join(path, "data")).length, names.length);
    });
  }
}

test("changed, cut and missing bytes are reported, not returned", async (t) => {
  const path = newFolder(t);
  const objects = await openFileObjects({ path });
  await objects.put("a", Buffer.from("right"));
  const file = await objects.path("a");
  const corrupt = { code: "DATA_LOSS", reason: "OBJECT_CORRUPT" };
  chmodSync(file, 0o644);
  for (const bytes of ["wrong", "righ", "rights"]) {
    writeFileSync(file, bytes);
    await assert.rejects(objects.get("a"), corrupt);
    await assert.rejects(Array.fromAsync(objects.stream("a")), corrupt);
    if (statSync(file).size !== 5) await assert.rejects(objects.path("a"), corrupt);
  }
  rmSync(file);
  await assert.rejects(objects.get("a"), corrupt);
  await assert.rejects(Array.fromAsync(objects.stream("a")), corrupt);
  const [reference = ""] = filesUnder(join(path, "names"));
  chmodSync(reference, 0o644);
  writeFileSync(reference, "{}");
  await assert.rejects(objects.head("a"), corrupt);
});

test("what a living process has under way is not swept", async (t) => {
  const path = newFolder(t);
  await openFileObjects({ path });
  const underWay = join(path, "temporary", `${process.ppid}-x`);
  writeFileSync(underWay, "half");
  writeFileSync(join(path, "temporary", "4194999-x"), "half");
  writeFileSync(join(path, "temporary", "4194999-x.reference"), '{"to');
  await openFileObjects({ path });
  assert.deepEqual(filesUnder(join(path, "temporary")), [underWay]);
});

test("the file of an object is read-only, however it came", async (t) => {
  const path = newFolder(t);
  const objects = await openFileObjects({ path });
  await objects.put("put", Buffer.from("bytes"));
  const own = join(path, "own");
  writeFileSync(own, "bytes");
  await objects.putFile("file", own);
  await objects.putStream(
    "stream",
    (async function* () {
      yield Buffer.from("bytes");
    })(),
  );
  for (const name of ["put", "file", "stream"]) {
    assert.equal(statSync(await objects.path(name)).mode & 0o222, 0, name);
  }
});

test("a folder that could not be made is tried again", async (t) => {
  const root = join(newFolder(t), "root");
  const { make } = startFolderMaker(root);
  await assert.rejects(make(join(root, "a")), { code: "ENOENT" });
  mkdirSync(root);
  await make(join(root, "a"));
  assert.deepEqual(readdirSync(root), ["a"]);
});

test("a full disk and a broken one are told apart", () => {
  const error = (code: string) => Object.assign(new Error(code), { code });
  assert.equal(objectsError(error("ENOSPC"), "here").reason, "OBJECTS_FULL");
  assert.equal(objectsError(error("EDQUOT"), "here").code, "RESOURCE_EXHAUSTED");
  assert.equal(objectsError(error("EIO"), "here").reason, "OBJECTS_FAILED");
});

test("a URL is never taken for a folder, whatever it was joined to", async (t) => {
  const folder = newFolder(t);
  const url = "s3://bucket/prefix?endpoint=http://127.0.0.1:1";
  for (const path of [url, join(folder, url), resolve(url)]) {
    await assert.rejects(openFileObjects({ path }), {
      code: "INVALID_ARGUMENT",
      reason: "OBJECTS_FOLDER_INVALID",
      message: /s3:\/+bucket\/prefix is a URL: name a folder/,
    });
  }
  assert.deepEqual(readdirSync(folder), []);
  assert.equal(existsSync("s3:"), false);
});

test("a folder that cannot be made is refused with its place", async () => {
  await assert.rejects(openFileObjects({ path: "/dev/null/x" }), /dev\/null/);
});
