import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

const tool = join(import.meta.dirname, "foreign-binaries.mjs");
const bin = "node_modules/onnxruntime-node/bin/napi-v6";
const own = `${process.platform}/${process.arch}`;

test("what another platform or processor would load goes, and this machine's own stays with its neighbours", () => {
  const clone = mkdtempSync(join(tmpdir(), "heddle-binaries-"));
  const run = (): unknown => execFileSync(process.execPath, [join(clone, "tools/tool.mjs")]);
  const is = (file: string): boolean => existsSync(join(clone, file));
  try {
    mkdirSync(join(clone, "tools"));
    copyFileSync(tool, join(clone, "tools/tool.mjs"));
    // Where the package is not installed, there is nothing to do.
    run();
    const kept = [
      ...[`${bin}/${own}/onnxruntime_binding.node`, `${bin}/${own}/libonnxruntime.so.1`],
      ...[
        "node_modules/onnxruntime-node/dist/index.js",
        "node_modules/lmdb/bin/win32/x64/lmdb.node",
      ],
    ];
    const systems = ["linux/x64", "linux/arm64", "win32/x64", "darwin/arm64"];
    const foreign = systems.filter((system) => system !== own).map((system) => `${bin}/${system}`);
    for (const file of [...kept, ...foreign.map((folder) => `${folder}/library`)]) {
      mkdirSync(dirname(join(clone, file)), { recursive: true });
      writeFileSync(join(clone, file), "");
    }
    run();
    assert.deepEqual(foreign.filter(is), []);
    assert.deepEqual(kept.filter(is), kept);
    run();
    assert.deepEqual(kept.filter(is), kept);
  } finally {
    rmSync(clone, { recursive: true });
  }
});

test("the package lies as the tool expects: this machine's library is where it would be kept", () => {
  assert.ok(existsSync(join(import.meta.dirname, "..", bin, own)));
});
