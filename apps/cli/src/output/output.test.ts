import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { bytes, counted, difference, interval, seconds } from "./numbers.ts";
import { openProgress } from "./progress.ts";
import { table } from "./table.ts";

test("a table's columns are as wide as their widest cell, numbers to the right", () => {
  const text = table(
    [{ header: "file" }, { header: "events", align: "right" }],
    [
      ["a.csv", "1,000"],
      ["longer.csv", "7"],
    ],
  );
  assert.equal(
    text,
    ["file        events", "──────────  ──────", "a.csv        1,000", "longer.csv       7"].join(
      "\n",
    ),
  );
});

test("numbers carry their units and differences their signs", () => {
  assert.equal(bytes(1536), "1.5 KiB");
  assert.equal(bytes(300 * 1024 ** 2), "300 MiB");
  assert.equal(counted(1, "run"), "1 run");
  assert.equal(counted(2_000n, "category", "categories"), "2,000 categories");
  assert.equal(seconds(3.21), "3.2 s");
  assert.equal(seconds(135), "2 min 15 s");
  assert.equal(interval({ value: 0.8124, low: 0.8, high: 0.82 }), "0.812 (0.800–0.820)");
  assert.equal(difference({ value: -0.01, low: -0.02, high: 0.001 }), "−0.010 (−0.020…+0.001)");
  assert.equal(interval(undefined), "–");
});

test("off a terminal progress is lines without control characters, and quiet says nothing", async () => {
  const said = async (quiet: boolean): Promise<string> => {
    const stream = new PassThrough() as unknown as NodeJS.WriteStream;
    {
      using progress = openProgress(stream, quiet, () => 0);
      progress.note("a line that stays");
    }
    stream.end();
    let text = "";
    for await (const chunk of stream as unknown as AsyncIterable<Buffer>) text += chunk.toString();
    return text;
  };
  assert.equal(await said(false), "a line that stays\n");
  assert.equal(await said(true), "");
});
