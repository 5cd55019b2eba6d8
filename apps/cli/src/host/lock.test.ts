import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { lockStateFolder } from "./lock.ts";

const module = new URL("./lock.ts", import.meta.url).href;

test("a second host on the same state folder is refused and told who holds it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-lock-"));
  const script = `const { lockStateFolder } = await import(${JSON.stringify(module)});
    globalThis.lock = lockStateFolder(${JSON.stringify(folder)}); console.log("held"); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", script]);
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  assert.throws(() => lockStateFolder(folder), {
    code: "FAILED_PRECONDITION",
    reason: "STATE_FOLDER_IN_USE",
    message: new RegExp(`pid ${holder.pid}\\) uses ${folder}.*--state`),
  });
  holder.kill("SIGKILL");
  await new Promise((resolve) => holder.once("exit", resolve));
  // The lock died with its holder: nobody has to remove a file.
  lockStateFolder(folder)[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});
