import { shortName } from "@heddle/base";
import type { Metric } from "@heddle/proto/evaluator";
import { count, difference, interval } from "../output/numbers.ts";
import { padded, type Palette } from "../output/style.ts";
import { wrapped } from "../output/wrapped.ts";
import { remarksOn } from "../report/remarks/remarks.ts";
import { metricOf, type Outcome, rankingOf } from "./outcome.ts";

/** Characters of a line of reasons, without what it is indented by. */
const textMax = 72;

/** Widths of the outcome table's columns; with two spaces between they fit 80 characters. */
const widths = [18, 13, 24, 24] as const;

const row = (...cells: readonly string[]): string =>
  cells
    .map((cell, i) => padded(cell, widths[i] ?? 0))
    .join("")
    .trimEnd();

/** The head of the table that `outcomeLines` fills, with a column for a ranking where it has one. */
export function outcomeHead({ evaluation }: Outcome): string {
  const ranking = rankingOf(evaluation);
  return [
    row(
      ...["trained through", "examples", "AUC (95 % interval)"],
      ...(ranking === undefined ? [] : [`${ranking.name.toUpperCase()} (95 % interval)`]),
    ),
    "─".repeat(79),
  ].join("\n");
}

/** One training run in a few lines of at most 80 characters: figures, rivals, verdict, what serves. */
export function outcomeLines(outcome: Outcome, label: string, palette: Palette): string {
  const { evaluation, version } = outcome;
  const auc = metricOf(evaluation, "auc");
  const ranking = rankingOf(evaluation);
  const rival = (name: string, pick: (metric: Metric) => Metric["versusLive"]): string[] =>
    auc === undefined || pick(auc) === undefined
      ? []
      : [
          row(
            "",
            palette.faint(name),
            palette.faint(difference(pick(auc))),
            palette.faint(ranking === undefined ? "" : difference(pick(ranking))),
          ),
        ];
  return [
    row(
      palette.strong(label),
      count(version?.training?.examples ?? 0n),
      interval(auc?.candidate),
      ranking === undefined ? "" : interval(ranking.candidate),
    ),
    ...trainingLines(outcome, palette),
    ...rival("vs fallback", (metric) => metric.versusFallback),
    ...rival("vs live", (metric) => metric.versusLive),
    ...verdictLines(outcome, palette),
  ].join("\n");
}

/** What is worth knowing of a training beside its figures. */
function trainingLines({ version }: Outcome, palette: Palette): string[] {
  const indent = " ".repeat(4);
  return remarksOn(version?.training).map(
    (line) => `${indent}${palette.doubt("!")} ${wrap(line, indent)}`,
  );
}

function verdictLines(outcome: Outcome, palette: Palette): string[] {
  const { verdict, version, serving } = outcome;
  const name = version === undefined ? "" : `v${version.number} ${shortName(version.version)}`;
  const indent = " ".repeat(4);
  if (verdict === "pass") {
    const proof =
      serving?.version === version?.version && serving !== undefined
        ? `serving, memory digest ${shortName(serving.reportedDigest)} verified`
        : "served, and replaced since";
    return [`${indent}${palette.good("✓ PASS")}  ${name}  ${proof}`];
  }
  const word = verdict === "fail" ? palette.bad("✗ REFUSED") : palette.doubt("? NOT ENOUGH DATA");
  if (verdict === "") return [`${indent}${palette.bad("✗ NOT JUDGED")}  ${name}`];
  const reasons = (version?.failedChecks ?? []).map((check) => `${indent}  ${wrap(check, indent)}`);
  return [`${indent}${word}  ${name}  nothing of it was served, because:`, ...reasons];
}

function wrap(text: string, indent: string): string {
  return wrapped(text.split(" "), textMax).join(`\n${indent}  `);
}
