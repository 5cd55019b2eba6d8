import assert from "node:assert/strict";
import { test } from "node:test";
import { clicks } from "../fixtures/clicks.ts";
import { lineOf } from "./records.ts";

const record = (text: string | Uint8Array) => ({
  ...{ topic: "t", partition: 1, offset: 7, timeMs: 1, key: "k", headers: {} },
  value: typeof text === "string" ? new TextEncoder().encode(text) : text,
});

test("an event is a line as it was written", () => {
  for (const text of [
    '{"id": 9007199254740993}',
    String.raw`{"item": "\ud83d\ude00"}`,
    String.raw`{"item": "\\ud800"}`,
    String.raw`{"item": "a\nb"}`,
  ]) {
    assert.equal(lineOf(record(text), clicks), text);
  }
  assert.equal(lineOf(record('{\r\n  "id":\n1}'), clicks), '{   "id": 1}');
});

test("what the engine could not read is left out beforehand, so that it costs no other event", () => {
  for (const text of [
    "",
    "null",
    '"id"',
    "[]",
    '{"id": 1} {"id": 2}',
    String.raw`{"item": "\ud800"}`,
    String.raw`{"item": "\uDC00\ud83d"}`,
    String.raw`{"item": "\\\ud800"}`,
    String.raw`{"item": "\ud83d\\\ude00"}`,
    Uint8Array.of(0x7b, 0xff, 0x7d),
  ]) {
    const line = lineOf(record(text), clicks);
    assert.equal(typeof line === "string" ? line : line.reason, "UNREADABLE_EVENT");
  }
});
