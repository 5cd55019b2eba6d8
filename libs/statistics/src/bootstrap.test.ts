import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@heddle/base";
import { resample, type Statistic } from "./bootstrap.ts";
import { difference, intervalOf } from "./interval.ts";
import { openRatio } from "./ratio.ts";

const never = new AbortController().signal;

/** The mean of a number per cluster. */
function meanOf(values: readonly number[]): Statistic {
  const ratio = openRatio();
  values.forEach((value, cluster) => ratio.add(cluster, value, 1));
  return ratio.statistic();
}

test("the interval of a mean is that of the normal theory, and covers the truth 95 times in 100", async () => {
  const random = seededRandom(7);
  const [trials, clusters] = [300, 200];
  let [covered, width] = [0, 0];
  for (let trial = 0; trial < trials; trial++) {
    const values = Array.from({ length: clusters }, () => random.normal());
    const resampling = { clusters, replicates: 200, seed: trial };
    const [mean] = await resample([meanOf(values)], resampling, never);
    const { low, high } = intervalOf(mean!)!;
    covered += low <= 0 && high >= 0 ? 1 : 0;
    width += (high - low) / trials;
  }
  assert.ok(covered / trials > 0.91 && covered / trials < 0.98, `${covered / trials}`);
  assert.ok(Math.abs(width / ((2 * 1.96) / Math.sqrt(clusters)) - 1) < 0.04, `${width}`);
});

test("draws follow Poisson(1), depend on the seed alone, and are the same for all statistics", async () => {
  const clusters = 2_000;
  const counts = new Array<number>(13).fill(0);
  const watching: Statistic = {
    of: (copies) => {
      for (const count of copies) counts[count]! += 1;
      return copies.reduce((sum, count, i) => sum + count * (i + 1), 0);
    },
  };
  const resampling = { clusters, replicates: 50, seed: 3 };
  const [one, other] = await resample([watching, watching], resampling, never);
  assert.deepEqual(one, other);
  assert.deepEqual((await resample([watching], resampling, never))[0], one);
  const changed = await resample([watching], { ...resampling, seed: 4 }, never);
  assert.notDeepEqual(changed[0]!.replicates, one!.replicates);
  assert.ok(difference(one!, other!).replicates.every((value) => value === 0));
  // Without the four passes over everything once.
  counts[1]! -= 4 * clusters;
  const draws = counts.reduce((sum, count) => sum + count, 0);
  [0.3679, 0.3679, 0.1839, 0.0613, 0.0153].forEach((share, count) => {
    assert.ok(Math.abs(counts[count]! / draws - share) < 0.003, `${counts[count]! / draws}`);
  });
});

test("a pair of statistics has a narrower interval of its difference than the two by themselves", async () => {
  const random = seededRandom(5);
  const values = Array.from({ length: 300 }, () => random.normal());
  const near = values.map((value) => value + random.normal() / 100);
  const resampling = { clusters: 300, replicates: 200, seed: 1 };
  const [one, other] = await resample([meanOf(values), meanOf(near)], resampling, never);
  const width = (of: { low: number; high: number }): number => of.high - of.low;
  assert.ok(width(intervalOf(difference(one!, other!))!) < width(intervalOf(one!)!) / 20);
});

test("a statistic that is undefined, or often is, has no interval", async () => {
  const rare: Statistic = { of: (copies) => (copies[0] === 0 ? NaN : 1) };
  const undefinedAlways: Statistic = { of: () => NaN };
  const resampling = { clusters: 3, replicates: 100, seed: 1 };
  const [often, always] = await resample([rare, undefinedAlways], resampling, never);
  assert.equal(intervalOf(often!), undefined);
  assert.equal(intervalOf(always!), undefined);
});

test("an interval leaves out the lowest and the highest 2.5 % of the replicates, of which few may be undefined", () => {
  const replicates = Float64Array.from({ length: 1_001 }, (_, i) => 1_000 - i);
  assert.deepEqual(intervalOf({ value: 500, replicates }), { value: 500, low: 25, high: 975 });
  const lacking = (count: number) => ({
    value: 1,
    replicates: Float64Array.from({ length: 100 }, (_, i) => (i < count ? NaN : 7)),
  });
  assert.deepEqual(intervalOf(lacking(4)), { value: 1, low: 7, high: 7 });
  assert.equal(intervalOf(lacking(6)), undefined);
});

test("an aborted resampling stops at the next replicate", async () => {
  const stop = new AbortController();
  stop.abort(new Error("enough"));
  const resampling = { clusters: 3, replicates: 100, seed: 1 };
  await assert.rejects(resample([meanOf([1, 2, 3])], resampling, stop.signal), /enough/);
});
