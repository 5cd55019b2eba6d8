import assert from "node:assert/strict";
import { test } from "node:test";
import { type RankedPart, rankingMeasurements } from "./ranking.ts";

/** A part whose every other visit has a positive, with these values of the candidate. */
const partOf = (...candidate: number[]): RankedPart => ({
  visits: 2 * candidate.length,
  slices: [
    {
      positives: candidate.length,
      visits: candidate.map((_, i) => 2 * i + 1),
      values: { candidate, fallback: candidate.map(() => 0.5) },
    },
  ],
});

test("the same visits in one part or in several are the same measurement, in each replicate", () => {
  const measured = (...parts: RankedPart[]) => rankingMeasurements(5, parts, [], 1)[0];
  const [whole, split] = [
    measured(partOf(1, 0.2, 0.4, 0.9)),
    measured(partOf(1, 0.2), partOf(0.4), partOf(0.9)),
  ];
  assert.deepEqual([split?.count, split?.positives], [4, 4]);
  for (const copies of [
    Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1),
    Uint8Array.of(0, 2, 1, 0, 1, 1, 0, 3),
  ]) {
    const of = (one: typeof whole) => one?.statistics?.candidate?.of(copies);
    assert.equal(of(split), of(whole));
  }
  assert.equal(whole?.statistics?.candidate?.of(Uint8Array.of(0, 2, 1, 0, 1, 1, 0, 1)), 3.3 / 4);
});
