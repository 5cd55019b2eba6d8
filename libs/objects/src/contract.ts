import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { isHeddleError, sha256 } from "@heddle/base";
import type { Objects } from "./port.ts";

/**
 * What every object backend promises.
 *
 * @param open opens the objects of a place: the same place twice shows the same objects.
 */
export function objectsContract(
  name: string,
  open: (place: string) => Promise<Objects>,
  options: { readonly skip?: string | false } = {},
): void {
  let places = 0;
  const check = (
    claim: string,
    body: (objects: Objects, t: TestContext, place: string) => Promise<void>,
  ): void => {
    test(`${name}: ${claim}`, { skip: options.skip ?? false }, async (t) => {
      const place = `place-${(places += 1)}`;
      await body(await open(place), t, place);
    });
  };
  const bytes = Buffer.from("some bytes");
  const info = { name: "runs/a=1/w.bin", bytes: 10, sha256: sha256(bytes) };

  check("an object reads back, as bytes and as a file", async (objects) => {
    assert.deepEqual(await objects.put(info.name, bytes), info);
    assert.deepEqual(await objects.head(info.name), info);
    assert.deepEqual(Buffer.from(await objects.get(info.name, info.sha256)), bytes);
    const path = await objects.path(info.name, info.sha256);
    assert.deepEqual(readFileSync(path), bytes);
    assert.equal(await objects.path(info.name), path);
  });

  check("an empty object and one of several chunks read back", async (objects) => {
    const large = new Uint8Array(9 << 20).map((_, n) => n * 7);
    await objects.put("empty", new Uint8Array());
    await objects.put("large", large);
    assert.equal((await objects.get("empty")).byteLength, 0);
    assert.equal(Buffer.compare(await objects.get("large"), large), 0);
  });

  check("the same bytes again are no error, other bytes are", async (objects) => {
    await objects.put(info.name, bytes);
    assert.deepEqual(await objects.put(info.name, bytes), info);
    const other = objects.put(info.name, Buffer.from("other"));
    await assert.rejects(other, { code: "ALREADY_EXISTS", reason: "OBJECT_DIFFERS" });
    assert.deepEqual(Buffer.from(await objects.get(info.name)), bytes);
  });

  check(
    "of concurrent puts of one name one content wins, and the others are told",
    async (objects) => {
      const puts = Array.from({ length: 20 }, (_, n) => objects.put("x/y", Buffer.from([n % 4])));
      const outcomes = await Promise.allSettled(puts);
      const won = (await objects.get("x/y"))[0] ?? -1;
      for (const [n, outcome] of outcomes.entries()) {
        assert.equal(outcome.status, n % 4 === won ? "fulfilled" : "rejected");
        if (outcome.status === "rejected")
          assert.ok(isHeddleError(outcome.reason, "OBJECT_DIFFERS"));
      }
    },
  );

  check(
    "a stored file is moved; when it is refused it stays with its owner",
    async (objects, t) => {
      const folder = mkdtempSync(join(tmpdir(), "heddle-objects-source-"));
      t.after(() => rmSync(folder, { recursive: true }));
      const file = join(folder, "f");
      writeFileSync(file, bytes);
      assert.deepEqual(await objects.putFile(info.name, file), info);
      assert.equal(existsSync(file), false);
      writeFileSync(file, bytes);
      assert.deepEqual(await objects.putFile(info.name, file), info);
      writeFileSync(file, "other");
      await assert.rejects(objects.putFile(info.name, file), { reason: "OBJECT_DIFFERS" });
      assert.equal(readFileSync(file, "utf8"), "other");
      const missing = objects.putFile("z", join(folder, "none"));
      await assert.rejects(missing, { code: "NOT_FOUND", reason: "NO_SUCH_FILE" });
    },
  );

  check("an object is written and read in pieces", async (objects) => {
    // No two pieces of it are alike.
    const large = new Uint8Array(5 << 20).map((_, n) => n * 5 + (n >> 18));
    const piecesOf = async function* (whole: Uint8Array) {
      for (let at = 0; at < whole.length; at += 700_000) yield whole.subarray(at, at + 700_000);
    };
    const digest = sha256(large);
    const stored = { name: info.name, bytes: large.length, sha256: digest };
    assert.deepEqual(await objects.putStream(info.name, piecesOf(large)), stored);
    assert.deepEqual(await objects.putStream(info.name, piecesOf(large)), stored);
    await assert.rejects(objects.putStream(info.name, piecesOf(bytes)), {
      reason: "OBJECT_DIFFERS",
    });
    const copies = await Array.fromAsync(objects.stream(info.name, digest), (piece) =>
      Uint8Array.from(piece),
    );
    assert.equal(Buffer.compare(Buffer.concat(copies), large), 0);
    await objects.put("empty", new Uint8Array());
    assert.deepEqual(await Array.fromAsync(objects.stream("empty")), []);
  });

  check("a stream of pieces that breaks off leaves nothing", async (objects) => {
    const broken = async function* () {
      yield bytes;
      throw new Error("gone");
    };
    await assert.rejects(objects.putStream(info.name, broken()), /gone/);
    assert.equal(await objects.head(info.name), undefined);
  });

  check("what is not there is not found", async (objects) => {
    const missing = { code: "NOT_FOUND", reason: "NO_SUCH_OBJECT" };
    await assert.rejects(objects.get("a/b"), missing);
    await assert.rejects(objects.path("a/b"), missing);
    await assert.rejects(Array.fromAsync(objects.stream("a/b")), missing);
    assert.equal(await objects.head("a/b"), undefined);
    await objects.delete("a/b");
  });

  check("other bytes than the expected ones are never returned", async (objects) => {
    await objects.put(info.name, bytes);
    const corrupt = { code: "DATA_LOSS", reason: "OBJECT_CORRUPT" };
    await assert.rejects(objects.get(info.name, sha256("other")), corrupt);
    await assert.rejects(objects.path(info.name, sha256("other")), corrupt);
    await assert.rejects(Array.fromAsync(objects.stream(info.name, sha256("other"))), corrupt);
  });

  check("a listing shows the names under a prefix, in order", async (objects) => {
    const names = ["a", "a/b", "a/b.c", "a/b/c", "ab/c", "b=1/x-y_z"];
    for (const each of [...names].reverse()) await objects.put(each, bytes);
    assert.deepEqual(await objects.list(""), [...names].sort());
    assert.deepEqual(await objects.list("a/b"), ["a/b", "a/b.c", "a/b/c"]);
    assert.deepEqual(await objects.list("a/b/"), ["a/b/c"]);
    assert.deepEqual(await objects.list("none/"), []);
  });

  check("a deleted object is gone and its name is free again", async (objects) => {
    await objects.put("a", bytes);
    await objects.put("a/b", bytes);
    await objects.delete("a");
    assert.deepEqual(await objects.list(""), ["a/b"]);
    assert.equal((await objects.put("a", Buffer.from("new"))).bytes, 3);
    assert.deepEqual(Buffer.from(await objects.get("a/b")), bytes);
  });

  check(
    "a name that leads out of the folder or has other characters is refused",
    async (objects) => {
      const bad = ["", "/a", "a/", "a//b", "..", "a/../b", ".", "A", "a b", "a#", "ü", "a\0"];
      for (const each of [...bad, "a".repeat(181), "a/".repeat(300) + "a"]) {
        const refused = { code: "INVALID_ARGUMENT", reason: "OBJECT_NAME_INVALID" };
        await assert.rejects(objects.put(each, bytes), refused, each);
        await assert.rejects(objects.get(each), refused, each);
      }
      await assert.rejects(objects.list("../"), { reason: "OBJECT_NAME_INVALID" });
    },
  );

  check("objects outlive the process's view of them", async (objects, _t, place) => {
    await objects.put(info.name, bytes);
    const again = await open(place);
    assert.deepEqual(Buffer.from(await again.get(info.name)), bytes);
  });
}
