import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@heddle/base";
import { differenceOf, ratioOf, shareOf } from "./proportion.ts";

const near = (found: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(found - expected) <= tolerance, `${found} is not ${expected}`);

test("the interval of a share is Wilson's: published figures", () => {
  // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
  for (const [count, of, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const) {
    const share = shareOf(count, of);
    near(share.low, low, 1e-4);
    near(share.high, high, 1e-4);
  }
});

test("the interval of a difference is Newcombe's: published figures", () => {
  // Newcombe 1998, table II, method 10: 56/70 − 48/80 and 9/10 − 3/10.
  const first = differenceOf(shareOf(56, 70), shareOf(48, 80));
  near(first.low, 0.0524, 1e-4);
  near(first.high, 0.3339, 1e-4);
  const second = differenceOf(shareOf(9, 10), shareOf(3, 10));
  near(second.low, 0.1705, 1e-4);
  near(second.high, 0.809, 1e-4);
});

test("the interval of a ratio covers the true ratio about 95 times in 100, also for a rare share", () => {
  const random = seededRandom(11);
  const draw = (share: number, of: number): number => {
    let count = 0;
    for (let i = 0; i < of; i++) count += random.next() < share ? 1 : 0;
    return count;
  };
  for (const [one, other] of [
    [0.6, 0.5],
    [0.02, 0.05],
  ] as const) {
    const trials = 500;
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      const { low, high } = ratioOf(shareOf(draw(one, 400), 400), shareOf(draw(other, 900), 900));
      covered += low <= one / other && one / other <= high ? 1 : 0;
    }
    assert.ok(covered / trials > 0.92, `${covered / trials}`);
  }
});

test("a vanished share has a ratio near 0, one that was never there has no upper bound", () => {
  const vanished = ratioOf(shareOf(0, 3_000), shareOf(90_000, 150_000));
  assert.equal(vanished.value, 0);
  assert.ok(vanished.low === 0 && vanished.high < 0.01, `${vanished.high}`);
  const appeared = ratioOf(shareOf(60, 3_000), shareOf(0, 150_000));
  assert.ok(appeared.low > 100 && appeared.high === Infinity, `${appeared.low}`);
  const nothing = ratioOf(shareOf(0, 100), shareOf(0, 100));
  assert.ok(nothing.low === 0 && nothing.high === Infinity);
});
