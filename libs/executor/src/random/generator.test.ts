import assert from "node:assert/strict";
import { test } from "node:test";
import { type Distribution, fillRandom, fillRandomInts, randomWords } from "./generator.ts";
import { philox, standardNormalBelow } from "../fixtures/philox.ts";

const key = [0xa4093822, 0x299f31d0] as const;

function draw(distribution: Distribution, length: number, stream = 0): Float32Array {
  const out = new Float32Array(length);
  fillRandom(out, distribution, { key, stream, domain: 0 });
  return out;
}

test("words are those of Philox4x32-10's published vector", () => {
  const words = randomWords({ key: [0, 0], stream: 0, domain: 0 });
  assert.deepEqual([...words], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  assert.deepEqual(philox([0, 0, 0, 0], [0, 0]), [...words]);
  const counter = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
  assert.deepEqual(philox(counter, key), [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]);
});

test("every number is that of the slow generator, beyond one piece of memory too", () => {
  const length = 16_384 + 100;
  const got = draw({ kind: "uniform", low: 0, high: 1 }, length, 7);
  for (let i = 0; i < length; i += i < 64 || i > 16_300 ? 1 : 97) {
    const [group, word, lane] = [Math.floor(i / 16), Math.floor((i % 16) / 4), i % 4];
    const bits = philox([4 * group + lane, 0, 7, 0], key)[word]!;
    assert.equal(got[i], (bits >>> 8) / 2 ** 24, `number ${i}`);
  }
});

test("a longer array begins like a shorter one; another stream, key or domain gives others", () => {
  const long = draw({ kind: "normal", mean: 0, deviation: 1 }, 40_000);
  for (const length of [1, 15, 17, 16_384, 39_999]) {
    assert.deepEqual(
      draw({ kind: "normal", mean: 0, deviation: 1 }, length),
      long.subarray(0, length),
    );
  }
  const first = (stream: number, domain: number, k: readonly [number, number]): number => {
    const out = new Float32Array(1);
    fillRandom(out, { kind: "uniform", low: 0, high: 1 }, { key: k, stream, domain });
    return out[0]!;
  };
  const others = [first(0, 0, key), first(1, 0, key), first(0, 1, key), first(0, 0, [key[0], 1])];
  assert.equal(new Set(others).size, 4);
});

const n = 200_000;
/** Six standard errors: the numbers are fixed, so this fails always or never. */
const bound = (deviation: number): number => (6 * deviation) / Math.sqrt(n);

test("uniform numbers are uniform: mean, variance, extremes, and no correlation with the next", () => {
  const out = draw({ kind: "uniform", low: -2, high: 4 }, n);
  const { mean, variance } = moments(out);
  assert.ok(Math.abs(mean - 1) < bound(Math.sqrt(3)), `mean ${mean}`);
  assert.ok(Math.abs(variance - 3) < bound(2.7), `variance ${variance}`);
  assert.ok(out.every((x) => x >= -2 && x < 4));
  for (const lag of [1, 4, 16]) {
    let sum = 0;
    for (let i = lag; i < n; i++) sum += (out[i]! - 1) * (out[i - lag]! - 1);
    assert.ok(Math.abs(sum / n) < bound(3), `covariance at ${lag} is ${sum / n}`);
  }
});

test("normal numbers have the normal distribution, to the tails", () => {
  const out = draw({ kind: "normal", mean: 3, deviation: 0.5 }, n);
  for (const z of [-3, -2, -1, -0.3, 0, 0.5, 1, 2, 3.5]) {
    const share = out.filter((x) => (x - 3) / 0.5 < z).length / n;
    const p = standardNormalBelow(z);
    assert.ok(
      Math.abs(share - p) < bound(Math.sqrt(p * (1 - p))),
      `below ${z}: ${share}, not ${p}`,
    );
  }
});

test("a normal number is the quantile of its own uniform one", () => {
  const normal = draw({ kind: "normal", mean: 0, deviation: 1 }, 5_000);
  const uniform = draw({ kind: "uniform", low: 0, high: 1 }, 5_000);
  normal.forEach((z, i) => {
    assert.ok(Math.abs(standardNormalBelow(z) - uniform[i]!) < 3e-7, `number ${i}`);
  });
});

test("truncated normal numbers stay within two deviations, and have the spread of such", () => {
  const out = draw({ kind: "truncatedNormal", mean: -1, deviation: 2 }, n);
  assert.ok(out.every((x) => x >= -5 && x <= 3));
  const { mean, variance } = moments(out);
  assert.ok(Math.abs(mean + 1) < bound(2));
  // 1 − 2 · 2 φ(2) / (Φ(2) − Φ(−2))
  assert.ok(Math.abs(variance / 4 - 0.7737413) < bound(1.2), `variance ${variance / 4}`);
});

test("a mask keeps the share it is asked to keep, scaled up", () => {
  for (const keep of [0.5, 0.9, 0.25]) {
    const out = draw({ kind: "mask", keep }, n);
    const kept = out.filter((x) => x !== 0);
    assert.ok(kept.every((x) => x === Math.fround(1 / keep)));
    assert.ok(Math.abs(kept.length / n - keep) < bound(Math.sqrt(keep * (1 - keep))));
  }
});

test("whole numbers are equally likely", () => {
  const out = new Int32Array(n);
  fillRandomInts(out, { low: -3, count: 6 }, { key, stream: 0, domain: 0 });
  for (let value = -3; value < 3; value++) {
    const share = out.filter((x) => x === value).length / n;
    assert.ok(Math.abs(share - 1 / 6) < bound(0.373), `${value}: ${share}`);
  }
  assert.ok(out.every((x) => x >= -3 && x < 3));
});

function moments(values: Float32Array): { mean: number; variance: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return { mean, variance: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length };
}
