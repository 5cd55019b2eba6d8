import { table } from "@heddle/cli";
import type { Row } from "./row.ts";

/** A bench's rows as people read them. */
export function printRows(rows: readonly Row[]): string {
  return table(
    [
      { header: "measure" },
      { header: "value", align: "right" },
      { header: "95 % interval" },
      { header: "unit" },
      { header: "runs", align: "right" },
      { header: "peer" },
      { header: "ratio (95 % interval)" },
      { header: "goal" },
      { header: "verdict" },
    ],
    rows.map((row) =>
      row.skipped === undefined
        ? [
            row.measure,
            digits(row.value),
            `${digits(row.low)}–${digits(row.high)}`,
            row.unit,
            String(row.runs),
            row.peer === undefined ? "" : `${row.peer} ${digits(row.peerValue ?? Number.NaN)}`,
            ratioOf(row),
            row.goal ?? "",
            row.verdict ?? "",
          ]
        : [row.measure, "", `skipped: ${row.skipped}`],
    ),
  );
}

function ratioOf({ ratio, ratioLow = Number.NaN, ratioHigh = Number.NaN }: Row): string {
  if (ratio === undefined) return "";
  return `${ratio.toFixed(2)} (${ratioLow.toFixed(2)}–${ratioHigh.toFixed(2)})`;
}

/** Four significant digits, thousands grouped. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return value.toLocaleString("en-US", { maximumSignificantDigits: 4 });
}
