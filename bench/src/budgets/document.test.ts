import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { budgeted, type Budgets, limitOf } from "./budgets.ts";
import { root } from "./clone.ts";
import { clusterBudgets } from "./cluster-idle.ts";
import { commandBudgets } from "./command-start.ts";
import { withFigures } from "./document.ts";
import { firstRunBudgets } from "./first-run.ts";
import { hostBudgets } from "./host-idle.ts";
import { projectBudgets } from "./project.ts";
import { wholeTestBudgets } from "./whole-tests.ts";

const budgets: Budgets = { "a start": { atMost: 1_500, unit: "ms" } };
const circumstances = { day: "2026-01-02", machine: "2 cores", commit: "abc1234" };

test("a budget holds for one run within it, is passed above it, and cannot be told where runs are on both sides", () => {
  const verdict = (values: readonly number[]) => budgeted(budgets, "a start", values).verdict;
  assert.equal(verdict([1_500]), "holds");
  assert.equal(verdict([1_501]), "missed");
  assert.equal(verdict([1_400, 1_600, 1_450, 1_700, 1_490]), "not enough runs");
});

test("figures are written between the marks of their part, and nowhere else", () => {
  const page =
    "# Page\n<!-- figures of a -->\nearlier\n<!-- end of a -->\nprose\n<!-- figures of b -->\n<!-- end of b -->\n";
  const written = withFigures(page, "a", [budgeted(budgets, "a start", [900])], circumstances);
  assert.match(written, /^# Page\n<!-- figures of a -->\n\| measure /);
  assert.match(written, /\| a start \| ≤ 1,500 ms \| 900 ms \| 1 \| {2}\| holds \|\n/);
  assert.match(written, /on 2026-01-02 at abc1234: 2 cores\.\n<!-- end of a -->\nprose\n/);
  assert.ok(!written.includes("earlier"));
  assert.equal(
    withFigures(written, "a", [budgeted(budgets, "a start", [900])], circumstances),
    written,
  );
  assert.throws(() => withFigures(page, "c", [], circumstances), /no figures of c/);
});

test("docs/budgets.md has every budget as the bench checks it", () => {
  const page = readFileSync(join(root, "docs/budgets.md"), "utf8");
  const parts: Readonly<Record<string, Budgets>> = {
    commands: commandBudgets,
    host: hostBudgets,
    cluster: clusterBudgets,
    project: projectBudgets,
    start: firstRunBudgets,
    test: wholeTestBudgets,
  };
  for (const [part, own] of Object.entries(parts)) {
    const section = page
      .split(`<!-- figures of ${part} -->`)[1]
      ?.split(`<!-- end of ${part} -->`)[0];
    for (const [measure, budget] of Object.entries(own)) {
      assert.ok(section?.includes(`| ${measure} | ${limitOf(budget)} |`), `${part}: ${measure}`);
    }
  }
});
