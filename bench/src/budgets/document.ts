import { digits } from "../print.ts";
import type { Row } from "../row.ts";

const head = [
  "| measure | budget | measured (95 % interval) | runs | beside | verdict |",
  "| --- | --- | --- | --- | --- | --- |",
];

/** What a figure was measured on, as one sentence. */
export interface Circumstances {
  readonly day: string;
  readonly machine: string;
  readonly commit: string;
}

/**
 * A page with the figures of one part of the bench written anew: between its two marks, `<!-- figures of PART -->` and
 * `<!-- end of PART -->`.
 *
 * @throws {RangeError} when the page has no place for them.
 */
export function withFigures(
  page: string,
  part: string,
  rows: readonly Row[],
  { day, machine, commit }: Circumstances,
): string {
  const [begin, end] = [`<!-- figures of ${part} -->\n`, `<!-- end of ${part} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new RangeError(`the page has no figures of ${part}`);
  const command = `Measured by \`npm run bench -- budgets --part=${part}\` on ${day} at ${commit}: ${machine}.`;
  const lines = [...head, ...rows.map(lineOf), "", command, ""];
  return page.slice(0, from) + begin + lines.join("\n") + page.slice(to);
}

function lineOf(row: Row): string {
  const { measure, unit, goal = "", verdict = "" } = row;
  if (row.skipped !== undefined) return `| ${measure} | | not measured: ${row.skipped} | | | |`;
  const spread = row.runs > 1 ? ` (${digits(row.low)}–${digits(row.high)})` : "";
  const cells = [measure, goal, `${digits(row.value)}${spread} ${unit}`, row.runs, besideOf(row)];
  return `| ${cells.join(" | ")} | ${verdict} |`;
}

function besideOf({ peer, peerValue = Number.NaN, unit }: Row): string {
  return peer === undefined ? "" : `${peer}: ${digits(peerValue)} ${unit}`;
}
