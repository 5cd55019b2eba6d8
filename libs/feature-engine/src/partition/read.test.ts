import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { textsOf } from "@heddle/transform";
import { openDuckdb } from "../duckdb/duckdb.ts";
import { readPartition } from "./read.ts";

const folder = mkdtempSync(join(tmpdir(), "heddle-read-"));
after(() => rmSync(folder, { recursive: true }));
const columns = [{ name: "word", type: "category" as const }];

/** A partition of one row, with these dictionaries. */
async function partitionWith(dictionaries: string): Promise<string> {
  const path = join(folder, "rows.parquet");
  await using db = await openDuckdb({ threads: 1, memoryBytesMax: 64 << 20, tempFolder: folder });
  await db.run(`copy (select 0::integer as visit, 0::bigint as example_time, 1::utinyint as label, 1::float as weight,
    0::integer as word) to '${path}' (format parquet, kv_metadata {'heddle.dictionaries': '${dictionaries}'})`);
  return path;
}

test("a partition's texts are read", async () => {
  const { features } = await readPartition(await partitionWith('{"word":["é"]}'), columns);
  const column = features["word"];
  assert.ok(column?.type === "category");
  assert.deepEqual(textsOf(column.dictionary), ["é"]);
});

test("a partition with damaged dictionaries is refused, and named", async () => {
  const path = await partitionWith('{"word":["é"');
  const named = (error: Error & { reason?: string }): boolean =>
    error.reason === "PARTITION_CORRUPT" && error.message.includes(path);
  await assert.rejects(readPartition(path, columns), named);
});
