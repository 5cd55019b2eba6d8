import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { defineSource } from "@heddle/sdk";
import { type Duckdb, openDuckdb } from "../duckdb/duckdb.ts";
import { ingestFile } from "./ingest.ts";
import type { ExistingSegment } from "./ingest-task.ts";

const source = defineSource({
  ...{ name: "clicks", owner: "me", licence: "internal", lawfulBasis: "contract" },
  ...{ retentionDays: 30, jurisdiction: "EU", purposes: ["training"] },
  columns: { click: "int64", at: "timestamp" },
  ...{ eventId: ["click"], eventTime: "at", available: { rule: "at-event" } },
});

let db: Duckdb;
const folder = mkdtempSync(join(tmpdir(), "heddle-ingest-"));
const zone = process.env["TZ"];
before(async () => {
  // A machine far from Greenwich reads the same times.
  process.env["TZ"] = "America/New_York";
  db = await openDuckdb({ threads: 1, memoryBytesMax: 64 << 20, tempFolder: folder });
});
after(async () => {
  if (zone === undefined) delete process.env["TZ"];
  else process.env["TZ"] = zone;
  await db[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** The event times of a file's first and last event, as ISO 8601. */
async function times(fileName: string): Promise<readonly string[]> {
  const { segment } = await ingestFile(db, {
    ...{ source, fileName, path: join(folder, fileName), target: join(folder, "segment.parquet") },
    ...{
      format: fileName.endsWith(".csv") ? "csv" : fileName.endsWith(".jsonl") ? "jsonl" : "parquet",
    },
    ...{ nowMs: Date.UTC(2026, 5, 1), pseudonymKeyHex: "00", existing: [] },
  });
  return [segment?.eventTimeMinMs ?? NaN, segment?.eventTimeMaxMs ?? NaN].map((ms) =>
    new Date(ms).toISOString(),
  );
}

const utc = ["2026-01-01T10:00:00.000Z", "2026-01-01T12:00:00.000Z"];

test("a time that says its zone is kept as what it is in UTC, one that says none as UTC", async () => {
  writeFileSync(
    join(folder, "zoned.csv"),
    "click,at\n1,2026-01-01T12:00:00+02:00\n2,2026-01-01 07:00:00-0500\n",
  );
  assert.deepEqual(await times("zoned.csv"), utc);
  writeFileSync(join(folder, "plain.csv"), "click,at\n1,2026-01-01T10:00:00\n2,2026-01-01 12:00\n");
  assert.deepEqual(await times("plain.csv"), utc);
  const lines = ["2026-01-01T10:00:00Z", "2026-01-01T13:00:00+01"];
  const json = lines.map((at, click) => JSON.stringify({ click, at })).join("\n");
  writeFileSync(join(folder, "zoned.jsonl"), json);
  assert.deepEqual(await times("zoned.jsonl"), utc);
});

test("a Parquet file's times with a zone are UTC on every machine", async () => {
  const rows = ["2026-01-01 12:00:00+02", "2026-01-01 12:00:00+00"].map(
    (at, i) => `(${i}::bigint, timestamptz '${at}')`,
  );
  const path = join(folder, "zoned.parquet");
  await db.run(
    `copy (select * from (values ${rows.join()}) v(click, "at")) to '${path}' (format parquet)`,
  );
  assert.deepEqual(await times("zoned.parquet"), utc);
});

test("an event that comes twice, or that a segment holds, is kept as it came first", async () => {
  const ingest = (fileName: string, events: readonly string[], existing: ExistingSegment[]) => {
    writeFileSync(join(folder, fileName), `${["click,at", ...events].join("\n")}\n`);
    return ingestFile(db, {
      ...{ source, fileName, path: join(folder, fileName), format: "csv", existing },
      ...{ target: join(folder, `${fileName}.parquet`), pseudonymKeyHex: "00" },
      nowMs: Date.UTC(2026, 5, 1),
    });
  };
  const [early, late] = ["2026-01-01 10:00:00", "2026-01-01 12:00:00"];
  const twice = await ingest("twice.csv", [`5,${early}`, `5,${late}`, `7,${early}`], []);
  assert.deepEqual([twice.events, twice.duplicates, twice.differing], [2, 1, 1]);
  const { segment } = twice;
  assert.deepEqual(
    [segment?.eventTimeMaxMs, segment?.ranges["click"]],
    [Date.parse(utc[0]!), [5, 7]],
  );
  const held = [{ path: join(folder, "twice.csv.parquet"), ranges: segment?.ranges ?? {} }];
  for (const [n, clicks] of [
    [4, 5],
    [7, 8],
    [6, 7],
  ].entries()) {
    const again = await ingest(
      `again-${n}.csv`,
      clicks.map((click) => `${click},${late}`),
      held,
    );
    assert.deepEqual([again.events, again.duplicates, again.differing], [1, 1, 1], clicks.join());
  }
  const same = await ingest("same.csv", [`5,${early}`, `7,${early}`, `7,${early}`], held);
  assert.deepEqual([same.events, same.duplicates, same.differing], [0, 3, 0]);
});
