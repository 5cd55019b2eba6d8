import assert from "node:assert/strict";
import { test } from "node:test";
import { runTimed } from "./timed.ts";

const here = { cwd: import.meta.dirname, environment: process.env };
/** Computes until it has taken so much CPU, however busy the machine is. */
const spin = (ms: number): string => `while (process.cpuUsage().user < ${ms * 1_000});`;

test("a command's CPU has that of the processes that it starts in it, and its wall time what it slept", async () => {
  const child = `require("node:child_process").execFileSync(process.execPath, ["-e", ${JSON.stringify(spin(150))}]);`;
  const { cpuSeconds, wallSeconds, stdout, stderr } = await runTimed(
    [
      process.execPath,
      "-e",
      `${child} setTimeout(() => console.log("done"), 300); console.error("on")`,
    ],
    here,
  );
  assert.deepEqual([stdout, stderr], ["done\n", "on\n"]);
  assert.ok(cpuSeconds >= 0.15, `${cpuSeconds} CPU-s`);
  assert.ok(wallSeconds >= 0.45, `${wallSeconds} s`);
});

test("a command that fails is named with its code and what it said last", async () => {
  const failing = runTimed(
    [process.execPath, "-e", `console.error("no bread"); process.exit(3)`],
    here,
  );
  await assert.rejects(failing, {
    reason: "COMMAND_FAILED",
    message: /ended with code 3:\n[^]*no bread/,
  });
});
