import assert from "node:assert/strict";
import { test } from "node:test";
import {
  backoffMs,
  canonicalJson,
  contentName,
  defaultBackoff,
  HeddleError,
  isHeddleError,
  seededRandom,
  systemClock,
} from "./index.ts";

test("equal values have equal canonical JSON, whatever the order of their keys", () => {
  assert.equal(
    canonicalJson({ b: [1, { d: null, c: "x" }], a: true }),
    '{"a":true,"b":[1,{"c":"x","d":null}]}',
  );
  assert.equal(contentName({ a: 1, b: 2 }), contentName({ b: 2, a: 1 }));
  assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}');
});

test("what JSON cannot carry is refused, not changed", () => {
  assert.throws(() => canonicalJson({ x: Number.NaN }), TypeError);
  assert.throws(() => canonicalJson({ x: 1n }), TypeError);
});

test("a random stream resumes from its counter with the same numbers", () => {
  const whole = seededRandom(17);
  const first = Array.from({ length: 5 }, () => whole.next());
  const rest = Array.from({ length: 5 }, () => whole.next());
  const resumed = seededRandom(17, 5);
  assert.equal(new Set([...first, ...rest]).size, 10);
  assert.deepEqual(
    Array.from({ length: 5 }, () => resumed.next()),
    rest,
  );
});

test("uniform draws fill their range evenly and normal draws have unit variance", () => {
  const random = seededRandom(3);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) counts[random.below(10)]! += 1;
  for (const n of counts) assert.ok(Math.abs(n - 10_000) < 400, `${n} of 10,000`);
  const normals = Array.from({ length: 50_000 }, () => random.normal());
  const mean = normals.reduce((a, b) => a + b) / normals.length;
  const variance = normals.reduce((a, b) => a + (b - mean) ** 2, 0) / normals.length;
  assert.ok(Math.abs(mean) < 0.02 && Math.abs(variance - 1) < 0.03, `${mean} ${variance}`);
});

test("streams of different names differ", () => {
  const random = seededRandom(1);
  assert.notEqual(random.split("a").next(), random.split("b").next());
});

test("backoff doubles up to its limit", () => {
  const delays = [1, 2, 3, 10].map((attempt) => backoffMs(defaultBackoff, attempt, 0));
  assert.deepEqual(delays, [100, 200, 400, 5_000]);
  assert.equal(backoffMs(defaultBackoff, 1, 1), 80);
});

test("an error keeps its reason, facts and cause", () => {
  const cause = new Error("disk");
  const error = new HeddleError("DATA_LOSS", "CORRUPT", "file a is corrupt", {
    cause,
    metadata: { file: "a" },
  });
  assert.ok(isHeddleError(error, "CORRUPT"));
  assert.ok(!isHeddleError(error, "OTHER"));
  assert.ok(!isHeddleError(cause));
  assert.equal((error as Error).cause, cause);
});

test("a sleep ends at once when its signal aborts", async () => {
  const stop = new AbortController();
  const sleeping = systemClock.sleep(60_000, stop.signal);
  stop.abort(new Error("stopped"));
  await assert.rejects(sleeping, /stopped/);
});
