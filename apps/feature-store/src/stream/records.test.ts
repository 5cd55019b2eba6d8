import assert from "node:assert/strict";
import { test } from "node:test";
import { clicks } from "../fixtures/clicks.ts";
import { lineOf, recordsOf } from "./records.ts";

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

test("an event that is larger than a record may be is left out, whoever wrote it", () => {
  const line = lineOf(record(`{"item": "${"x".repeat(1 << 20)}"}`), clicks);
  assert.deepEqual(line, {
    reason: "RECORD_TOO_LARGE",
    problem: "it has 1048588 bytes; an event has at most 1048576",
  });
});

test("a record that stands for those of a batch which nobody may unpack says so", () => {
  const headers = { heddle_unreadable: "records 1 to 9 are a batch of 99 bytes" };
  assert.deepEqual(lineOf({ ...record(""), headers }, clicks), {
    reason: "UNREADABLE_EVENT",
    problem: "records 1 to 9 are a batch of 99 bytes",
  });
});

test("offsets without a record are passed over, and a piece ends where it is said to", async () => {
  const offsets = [0, 2, 3, 7, 8];
  const read = async (_topic: string, _partition: number, from: number, limit: number) =>
    offsets
      .filter((offset) => offset >= from)
      .slice(0, limit)
      .map((offset) => ({ ...record("{}"), offset }));
  const heldBy = async (from: number, to: number) => {
    const found = recordsOf({ read }, [{ topic: "t", partition: 0, from, to }]);
    return (await Array.fromAsync(found)).flat().map(({ offset }) => offset);
  };
  assert.deepEqual(await heldBy(0, 3), [0, 2]);
  assert.deepEqual(await heldBy(4, 7), []);
  assert.deepEqual(await heldBy(4, 12), [7, 8]);
});
