import assert from "node:assert/strict";
import { test } from "node:test";
import { type DatasetFacts, dataChecks } from "./data-checks.ts";
import { definition } from "../fixtures/definition.ts";

/** 45 weeks: three in five positives are discounted. */
const year: DatasetFacts = {
  rows: 760_000,
  positives: 150_000,
  slices: [
    { slice: "discounted", rows: 400_000, positives: 91_500 },
    { slice: "department=DELI", rows: 20_000, positives: 4_500 },
    { slice: "department=RARE", rows: 600, positives: 90 },
  ],
};
/** One week, a fiftieth of it, with the same shares. */
const week: DatasetFacts = {
  rows: 15_200,
  positives: 3_000,
  slices: [
    { slice: "discounted", rows: 8_000, positives: 1_830 },
    { slice: "department=DELI", rows: 400, positives: 90 },
    { slice: "department=RARE", rows: 12, positives: 2 },
  ],
};
const broken = (now: DatasetFacts, reference = year): string[] =>
  dataChecks(now, reference, definition)
    .filter(({ holds }) => !holds)
    .map(({ explanation }) => explanation);

const withSlice = (slice: string, counts: { rows?: number; positives?: number }): DatasetFacts => ({
  ...week,
  slices: week.slices.map((of) => (of.slice === slice ? { ...of, ...counts } : of)),
});

test("a week holds against a year of the same shares", () => {
  assert.deepEqual(broken(week), []);
  const checks = dataChecks(week, year, definition);
  assert.deepEqual(
    checks.map(({ name }) => name),
    ["positives per visit", "share of positives in discounted", "share of rows in discounted"],
  );
});

test("the same data has no change at all", () => {
  assert.deepEqual(broken(year), []);
});

test("vanished discounts are named with both shares", () => {
  const slices = week.slices.map((of) => {
    const share = of.slice === "discounted" ? 0 : 0.39;
    return { ...of, positives: Math.round(of.positives * share) };
  });
  const without = { rows: week.rows, positives: 1_170, slices };
  const [visits, discounts, ...others] = broken(without);
  assert.match(visits ?? "", /^positives per visit fell: from 4\.92 to 1\.67/);
  assert.match(
    discounts ?? "",
    /^positives in discounted vanished: from 61 % to 0 % \(0 % to 0\.3 %\), a factor of \d+ at least where 2 is allowed$/,
  );
  assert.deepEqual(others, []);
});

test("a slice that is not even listed any more counts as vanished", () => {
  const slices = week.slices.filter(({ slice }) => slice !== "discounted");
  assert.deepEqual(broken({ ...week, slices }).length, 2);
});

test("a change within the factor holds, a larger one does not", () => {
  assert.deepEqual(broken(withSlice("discounted", { positives: 1_200 })), []);
  assert.match(broken(withSlice("discounted", { positives: 700 })).join(), /discounted fell/);
});

test("a slice of one category value may rise with the season, but not vanish", () => {
  assert.deepEqual(broken(withSlice("department=DELI", { positives: 300 })), []);
  assert.match(broken(withSlice("department=DELI", { positives: 0 })).join(), /DELI vanished/);
});

test("what few rows suggest is no proof", () => {
  const small: DatasetFacts = {
    rows: 76,
    positives: 15,
    slices: [{ slice: "discounted", rows: 40, positives: 3 }],
  };
  assert.deepEqual(
    broken(small).filter((text) => text.includes("positives in discounted")),
    [],
  );
});

test("a rare slice that vanishes is no reason to refuse", () => {
  assert.deepEqual(broken(withSlice("department=RARE", { rows: 0, positives: 0 })), []);
});

test("examples that are rows are compared by their share of positives", () => {
  const rows = { kind: "rows", source: "clicks", label: "clicked" } as const;
  const check = (positives: number) =>
    dataChecks({ rows: 15_200, positives, slices: [] }, year, { ...definition, examples: rows })[0];
  assert.equal(check(3_000)?.holds, true);
  assert.equal(check(1_000)?.holds, false);
  assert.match(check(0)?.explanation ?? "", /^positives among the rows vanished: from 20 % to 0 %/);
});
