import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { crowdedFolders } from "./folders.ts";

test("a folder with too many files side by side is reported, and tests do not count", () => {
  const root = mkdtempSync(join(tmpdir(), "heddle-folders-"));
  const folder = join(root, "libs/crowd/src");
  mkdirSync(folder, { recursive: true });
  const write = (name: string): void => writeFileSync(join(folder, name), "");
  for (let i = 0; i < 20; i++) write(`file-${i}.ts`);
  for (const name of ["a.test.ts", "a.prop.test.ts", "a.production.ts", "a.contract.ts"])
    write(name);
  assert.deepEqual(crowdedFolders(root), []);
  write("one-more.ts");
  assert.deepEqual(crowdedFolders(root), ["libs/crowd/src has 21 files, above 20"]);
  rmSync(root, { recursive: true });
});

test("no folder of this workspace is crowded", () => {
  assert.deepEqual(crowdedFolders(join(import.meta.dirname, "../..")), []);
});
