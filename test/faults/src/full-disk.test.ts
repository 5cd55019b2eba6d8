import assert from "node:assert/strict";
import {
  closeSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { heddle, heddleJson, startHost } from "@heddle/testkit";
import { mountSmallDisk } from "./fixtures/small-disk.ts";

const diskMebibytes = 64;
const rowsPerFile = 20_000;
const init = ["init", "visits", "--from", "0.csv", "--time", "at"];

test("on a full disk an ingest is refused by name, nothing acknowledged is lost, and with room it succeeds", async (t) => {
  using disk = mountSmallDisk(diskMebibytes);
  if (disk.skip !== undefined) return t.skip(disk.skip);
  const at = (name: string): string => join(disk.path, name);
  const here = { cwd: disk.path };
  for (const file of [0, 1]) writeFileSync(at(`${file}.csv`), csv(file * rowsPerFile));
  const made = await heddle([...init, "--label", "bought"], here);
  assert.equal(made.code, 0, made.stderr);
  await using _host = await startHost(here);
  await heddleJson(["apply", "visits"], here);
  const ingest = (file: string) => ["ingest", "visits", file];
  const events = async (file: string) =>
    ((await heddleJson(ingest(file), here))["files"] as { events: string }[])[0]?.events;
  assert.equal(await events("0.csv"), String(rowsPerFile));

  writeFileSync(at("wide.mjs"), wide);
  const hostFile = readFileSync(at(".heddle/host.json"), "utf8");

  fill(at("filler"));
  const refused = await heddle(["apply", "wide.mjs"], here);
  assert.match(refused.stderr, /\.heddle\/store is full: free space .*\[STORE_FULL\]/);
  const { code, stderr } = await heddle(ingest("1.csv"), here);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /\[(DISK|OBJECTS|STORE|ENGINE)_FULL\]/);
  assert.match(stderr, /\.heddle/, "the place");
  assert.match(stderr, /make room|free/, "the remedy");
  assert.doesNotMatch(stderr, /^\s+at /m, "no stack");

  rmSync(at("filler"));
  await heddleJson(["apply", "wide.mjs"], here);
  assert.equal(readFileSync(at(".heddle/host.json"), "utf8"), hostFile, "the host outlived it");
  assert.equal(await events("1.csv"), String(rowsPerFile), "nothing of the refused one was kept");
  writeFileSync(at("both.csv"), csv(0, 2 * rowsPerFile));
  assert.equal(await events("both.csv"), "0", "all events of both files are there already");
});

/** What the definition imports, not this file. */
const sdk = "@heddle/sdk";

/** A definition that fits into no page that the store has left over. */
const wide = `import { defineSource } from "${sdk}";
const columns = Array.from({ length: 5_000 }, (_, i) => ["column_" + i, "int64"]);
export const source = defineSource({
  name: "wide", owner: "me", licence: "internal", lawfulBasis: "contract", retentionDays: 30, jurisdiction: "EU",
  purposes: ["training"], columns: Object.fromEntries(columns), eventId: ["column_0"], available: { rule: "at-event" },
});
`;

function csv(from: number, rows = rowsPerFile): string {
  const line = (_: unknown, i: number): string => {
    const n = from + i;
    const at = new Date(Date.UTC(2025, 0, 1) + n * 60_000).toISOString().slice(0, 19);
    return `${n},${at},${(n * 7) % 90},${n % 3 === 0 ? 1 : 0}`;
  };
  return `${["visit_id,at,pages,bought", ...Array.from({ length: rows }, line)].join("\n")}\n`;
}

/** Writes until the file system has no room for another byte. */
function fill(path: string): void {
  const file = openSync(path, "w");
  try {
    for (let bytes = 1 << 20; bytes >= 1;) {
      try {
        writeSync(file, Buffer.alloc(bytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        bytes >>= 1;
      }
    }
  } finally {
    closeSync(file);
  }
  assert.ok(statSync(path).size > 1 << 20, "the disk was full before");
}
