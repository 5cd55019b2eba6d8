import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { startToy } from "./fixtures/start-toy.ts";
import { startServer } from "./running.ts";
import { Unavailable } from "./unavailable.ts";

const linuxOnly = { skip: process.platform !== "linux" && "servers are started on Linux only" };

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

test("a server runs until it is stopped, and again on its port", linuxOnly, async () => {
  const first = await startToy("answer");
  assert.ok(isAlive(first.processId));
  await first.stop();
  assert.equal(isAlive(first.processId), false);
  await first.stop();
  await using again = await startToy("answer", { ports: [Number(new URL(first.url).port)] });
  assert.equal(again.url, first.url);
});

test(
  "an answer of another process on the port is not taken for the server's",
  linuxOnly,
  async (t) => {
    const other = createServer((socket) => socket.end("toy")).listen(0, "127.0.0.1");
    t.after(() => other.close());
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    await assert.rejects(startToy("answer", { ports: [port] }), /another process has port \d+/);
  },
);

test(
  "a server that ends at once, or never listens, is named with its last words",
  linuxOnly,
  async () => {
    await assert.rejects(
      startToy("die"),
      /toy server ended \(3\); its last words:\ntoy server, die/,
    );
    const shy = { program: "sh", args: ["-c", "echo I am shy; exec sleep 60"] };
    const late = startToy("answer", { startMs: 1_000, command: () => shy });
    await assert.rejects(late, /not ready in time[^]*I am shy/);
  },
);

test("a server that listens but answers wrongly is not ready", linuxOnly, async () => {
  const never = startToy("answer", {
    startMs: 400,
    answers: () => Promise.reject(new Error("no")),
  });
  await assert.rejects(never, /not ready in time/);
});

test("a program that is not there makes the server unavailable", async () => {
  const start = startServer({
    name: "none",
    command: () => ({ program: "heddle-has-no-such-program", args: [] }),
    url: () => "",
  });
  await assert.rejects(start, Unavailable);
});

test("a server does not outlive whoever started it", linuxOnly, async () => {
  const program = join(import.meta.dirname, "fixtures/start-and-die.ts");
  const starter = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  const processId = Number(await text(starter.stdout));
  assert.ok(processId > 0);
  for (const end = performance.now() + 20_000; isAlive(processId); await wait(20)) {
    assert.ok(performance.now() < end, `process ${processId} lives on`);
  }
});
