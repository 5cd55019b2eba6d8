import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { summaryOf } from "./production.ts";

test("each server used is said once, each suite skipped with its reason", () => {
  const file = (name: string): string => join(process.cwd(), "libs/objects/src", name);
  const used = "versitygw 1.8.0, started for the test";
  const notes = [
    { file: file("a.production.ts"), server: "S3", used },
    { file: file("b.production.ts"), server: "S3", used },
    { file: file("c.production.ts"), server: "Kafka", skipped: "no Kafka: java is not there" },
  ];
  assert.deepEqual(summaryOf(notes), [
    "used S3: versitygw 1.8.0, started for the test",
    "skipped libs/objects/src/c.production.ts: no Kafka: java is not there",
  ]);
});
