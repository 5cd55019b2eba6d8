import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { defineSource } from "@heddle/sdk";
import { buildPartitions } from "./build.ts";
import { openDuckdb } from "../duckdb/duckdb.ts";
import { ingestFile } from "../ingest/ingest.ts";
import type { DatasetPlan } from "../plan.ts";

const asked = defineSource({
  ...{ name: "asked", owner: "me", licence: "internal", lawfulBasis: "contract" },
  ...{ retentionDays: 30, jurisdiction: "EU", purposes: ["training"] },
  columns: { id: "int64", kept: "int64" },
  ...{ eventId: ["id"], available: { rule: "at-event" } },
});

test("a label that is neither 0 nor 1 is refused where the dataset is built, and not taken for 1", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "heddle-examples-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const settings = { threads: 1, memoryBytesMax: 64 << 20, tempFolder: folder };
  await using db = await openDuckdb(settings);
  const [path, target] = [join(folder, "asked.csv"), join(folder, "asked.parquet")];
  writeFileSync(path, "id,kept\n1,1\n2,\n3,2\n");
  const { segment } = await ingestFile(db, {
    ...{ source: asked, path, fileName: "asked.csv", format: "csv", target },
    ...{ nowMs: Date.UTC(2026, 0, 1), pseudonymKeyHex: "00", existing: [] },
  });
  const object = { name: target, bytes: statSync(target).size, sha256: "" };
  const segments = [{ object, events: 3, fileName: "asked.csv", ...segment! }];
  const plan: DatasetPlan = {
    ...{ model: "m", use: "training", partitioning: { by: "none" }, features: [], slices: [] },
    examples: { kind: "rows", source: "asked", label: "kept" },
    sources: { asked: { definition: asked, branch: "main", segments } },
  };
  const build = async (): Promise<void> => {
    for await (const _ of buildPartitions(db, plan, ["all"], new Map([[target, target]]), folder));
  };
  await assert.rejects(build, {
    reason: "LABEL_NOT_BINARY",
    message: /source asked has the label 2 in "kept": a label is 0 or 1, true or false, or empty/,
  });
});
