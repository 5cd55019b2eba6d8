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

test("a request of a process that is killed fails as UNAVAILABLE, and the next one has a new process", async () => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-engine-"));
  const telemetry = silentTelemetry();
  const engine = openEngine({
    threads: 1,
    memoryBytesMax: 64 << 20,
    tempFolder: folder,
    telemetry,
  });
  try {
    const path = join(folder, "m.csv");
    writeFileSync(path, membersCsv());
    const task: IngestTask = {
      ...{ source: members, path, fileName: "m.csv", format: "csv", nowMs: 0 },
      ...{ pseudonymKeyHex: "00", existing: [], target: join(folder, "m.parquet") },
    };

    const lost = engine.ask({ kind: "ingest", task });
    const killed = engine.pid();
    process.kill(killed!, "SIGKILL");
    await assert.rejects(lost, (e) => isHeddleError(e, "ENGINE_LOST"));
    assert.equal((await engine.ask({ kind: "ingest", task })).events, 4);
    assert.notEqual(engine.pid(), killed);
  } finally {
    await engine[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
});
