import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

/** A program that says when it listens and when it was asked, and then closes for ever, or at once. */
async function start(graceMs: number, closing: "for ever" | "at once") {
  const script = `
    import { stopAsked } from ${JSON.stringify(import.meta.resolve("./stop-asked.ts"))};
    const asked = stopAsked(process, ${graceMs});
    const busy = setInterval(() => {}, 1_000);
    process.send("listens");
    await asked;
    process.send("asked");
    if (${closing === "at once"}) {
      clearInterval(busy);
      process.disconnect();
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  assert.deepEqual(await once(child, "message"), ["listens", undefined]);
  return child;
}

/** Sends a signal and waits until it was heard. */
async function ask(child: ChildProcess, signal: "SIGTERM" | "SIGINT"): Promise<void> {
  const heard = once(child, "message");
  child.kill(signal);
  assert.deepEqual(await heard, ["asked", undefined]);
}

test("a program that closes in time ends as it chose to, whichever signal asked", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const child = await start(60_000, "at once");
    const ended = once(child, "exit");
    await ask(child, signal);
    assert.deepEqual(await ended, [0, null]);
  }
});

test("a second signal, or the end of the grace, kills one that does not", async () => {
  for (const graceMs of [60_000, 50]) {
    const child = await start(graceMs, "for ever");
    const ended = once(child, "exit");
    await ask(child, "SIGTERM");
    if (graceMs === 60_000) child.kill("SIGINT");
    assert.deepEqual(await ended, [null, "SIGKILL"]);
  }
});
