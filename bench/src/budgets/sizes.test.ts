import assert from "node:assert/strict";
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@heddle/testkit";
import { bytesOfAll, diskBytes, lengthBytes, packagesIn } from "./sizes.ts";

const mebibyte = 2 ** 20;

test("packages are found in scopes and within one another, each without those in it, and links are none", () => {
  using folder = temporaryFolder("sizes");
  const put = (path: string, bytes: number): void => {
    mkdirSync(dirname(folder.file(path)), { recursive: true });
    writeFileSync(folder.file(path), Buffer.alloc(bytes, 1));
  };
  put("modules/large/lib/index.js", 3 * mebibyte);
  put("modules/large/node_modules/inner/index.js", mebibyte);
  put("modules/@scope/small/index.js", 2 * mebibyte);
  put("modules/.cache/compiled/blob", 5 * mebibyte);
  put("project/index.js", 7 * mebibyte);
  symlinkSync(folder.file("project"), folder.file("modules/linked"));
  const found = packagesIn(folder.file("modules"));
  assert.deepEqual(
    found.map(({ name, bytes }) => [name, Math.round(bytes / mebibyte)]),
    [
      ["large", 3],
      ["@scope/small", 2],
      ["large/node_modules/inner", 1],
    ],
  );
  assert.equal(Math.round(bytesOfAll(found) / mebibyte), 6);
});

test("a file with two names takes its place on disk once, and a byte more is seen in its length", () => {
  using folder = temporaryFolder("sizes");
  writeFileSync(folder.file("a"), Buffer.alloc(mebibyte, 1));
  linkSync(folder.file("a"), folder.file("b"));
  assert.equal(Math.round(diskBytes(folder.path) / mebibyte), 1);
  const before = lengthBytes(folder.path);
  writeFileSync(folder.file("a"), "x", { flag: "a" });
  assert.equal(lengthBytes(folder.path) - before, 1);
});
