import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isHeddleError } from "@heddle/base";
import type { IngestTask } from "@heddle/feature-engine";
import { silentTelemetry } from "@heddle/telemetry";
import { openEngine } from "./engine.ts";
import { members, membersCsv } from "../fixtures/shop.ts";

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** An engine, and a request that it can answer. */
function openWithTask() {
  const folder = mkdtempSync(join(tmpdir(), "heddle-engine-"));
  const telemetry = silentTelemetry();
  const engine = openEngine({
    threads: 1,
    memoryBytesMax: 64 << 20,
    tempFolder: folder,
    telemetry,
  });
  const path = join(folder, "m.csv");
  writeFileSync(path, membersCsv());
  const task: IngestTask = {
    ...{ source: members, path, fileName: "m.csv", format: "csv", nowMs: 0 },
    ...{ pseudonymKeyHex: "00", existing: [], target: join(folder, "m.parquet") },
  };
  return {
    engine,
    ingest: () => engine.ask({ kind: "ingest", task }),
    [Symbol.asyncDispose]: async () => {
      await engine[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

test("a request of a process that is killed fails as UNAVAILABLE, and the next one has a new process", async () => {
  await using opened = openWithTask();
  const { engine, ingest } = opened;
  const lost = ingest();
  const killed = engine.pid();
  process.kill(killed!, "SIGKILL");
  await assert.rejects(lost, (e) => isHeddleError(e, "ENGINE_LOST"));
  assert.equal((await ingest()).events, 4);
  assert.notEqual(engine.pid(), killed);
});

test("a process that was asked nothing for a minute is ended, and the next request has a new one", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await using opened = openWithTask();
  const { engine, ingest } = opened;
  await ingest();
  const first = engine.pid();
  t.mock.timers.tick(59_000);
  await ingest();
  assert.equal(engine.pid(), first);
  t.mock.timers.tick(59_999);
  assert.equal(engine.pid(), first);
  t.mock.timers.tick(1);
  assert.equal(engine.pid(), undefined);
  while (isAlive(first!)) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await ingest()).events, 4);
  // One that works is not ended, however long it takes.
  const working = ingest();
  t.mock.timers.tick(600_000);
  assert.equal((await working).events, 4);
});
