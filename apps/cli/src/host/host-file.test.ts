import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { test } from "node:test";
import { temporaryFolder } from "@heddle/testkit";
import { readHostFile, writeHostFile } from "./host-file.ts";

const one = "127.0.0.1:1";
const addresses = {
  ...{ registry: one, featureStore: one, evaluator: one },
  ...{ modelServer: one, sync: one, scheduler: one },
};

test("a host is found by the folder that it runs on, also when that was renamed, and never by a copy of it", () => {
  using folder = temporaryFolder("host-file");
  const [state, copy, renamed] = [folder.file("state"), folder.file("copy"), folder.file("new")];
  mkdirSync(state);
  {
    using _file = writeHostFile(state, { pid: 1, addresses, objects: "there" });
    assert.deepEqual(readHostFile(state)?.addresses, addresses);
    cpSync(state, copy, { recursive: true });
    assert.equal(existsSync(folder.file("copy", "host.json")), true);
    assert.equal(readHostFile(copy), undefined);
    renameSync(state, renamed);
    assert.equal(readHostFile(renamed)?.objects, "there");
    renameSync(renamed, state);
  }
  assert.equal(readHostFile(state), undefined);
});
