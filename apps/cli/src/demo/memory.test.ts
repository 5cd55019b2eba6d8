import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { treeMemory } from "./memory.ts";

const mebibyte = 1 << 20;
const skip = process.platform !== "linux" && "it reads /proc";

test(
  "the peak holds what a child took and gave back, and a sample below it is not measured",
  { skip },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "heddle-memory-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const program = join(folder, "child.mjs");
    // Every page is written, so that it is resident. It goes on listening, or it would end by itself.
    writeFileSync(
      program,
      'process.on("message", (bytes) => { globalThis.held = Buffer.alloc(bytes, 1); process.send("held"); });\nprocess.send("up");',
    );
    const child = fork(program);
    t.after(() => child.kill("SIGKILL"));
    await once(child, "message");
    const { sample, peakBytes, measured } = treeMemory(process.pid);
    sample();
    const before = peakBytes();
    assert.equal(measured(), 1);
    assert.ok(before > 20 * mebibyte, `${before}`);

    child.send(200 * mebibyte);
    await once(child, "message");
    sample();
    const peak = peakBytes();
    assert.equal(measured(), 2);
    // The more other Node processes come meanwhile, the smaller is the share of Node's own pages.
    assert.ok(peak > before + 120 * mebibyte, `${before} to ${peak}`);
    assert.ok(peak < before + 300 * mebibyte, `${before} to ${peak}`);

    child.kill("SIGKILL");
    await once(child, "exit");
    for (let i = 0; i < 3; i++) sample();
    assert.equal(peakBytes(), peak);
    assert.equal(measured(), 2);
  },
);
