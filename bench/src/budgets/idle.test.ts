import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { programsBelow, type Stretch, watchIdle } from "./idle.ts";

const onLinux = { skip: process.platform !== "linux" && "it reads /proc" };
const watch = { settleSeconds: 0.5, seconds: 1, rounds: 1 };

test("a process that polls is told from one that sleeps by its wake-ups", onLinux, async () => {
  const programs = ["setInterval(() => undefined, 5)", "setInterval(() => undefined, 10_000)"];
  const children = programs.map((program) => spawn(process.execPath, ["-e", program]));
  try {
    const pids = children.map(({ pid }) => pid!);
    const [[polls], [sleeps]] = (await watchIdle(pids, watch)) as [[Stretch], [Stretch]];
    assert.ok(polls.wakesPerSecond > 50, `${polls.wakesPerSecond} a second`);
    assert.ok(sleeps.wakesPerSecond < 20, `${sleeps.wakesPerSecond} a second`);
    for (const { memoryBytes, anonymousBytes } of [polls, sleeps]) {
      assert.ok(
        anonymousBytes > 2 ** 20 && anonymousBytes < memoryBytes,
        `${anonymousBytes} bytes`,
      );
      assert.ok(memoryBytes > 5 * 2 ** 20 && memoryBytes < 500 * 2 ** 20, `${memoryBytes} bytes`);
    }
  } finally {
    for (const child of children) child.kill();
  }
});

test("a program of ours is known by the folder of its sources", onLinux, async () => {
  const args = [
    "-e",
    "setInterval(() => undefined, 10_000)",
    "--",
    "/any/apps/registry/src/main.ts",
  ];
  const child = spawn(process.execPath, args);
  try {
    assert.deepEqual(programsBelow(process.pid), [{ pid: child.pid, app: "registry" }]);
  } finally {
    child.kill();
  }
});
