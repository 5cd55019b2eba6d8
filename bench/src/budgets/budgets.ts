import { present } from "@heddle/base";
import type { Row } from "../row.ts";
import { compared, measured } from "../summarise.ts";

/** The most that a measure may be. */
export interface Budget {
  readonly atMost: number;
  readonly unit: string;
}

/** Those of one part of the bench, by measure. */
export type Budgets = Readonly<Record<string, Budget>>;

/** The same measure of something else, in the same rounds. */
export interface Beside {
  readonly name: string;
  readonly values: readonly number[];
}

/**
 * A measure beside its budget. A budget has room above what is measured, so one run within it is enough: it is passed where the whole
 * interval is above it, and nothing can be said where it lies within the interval.
 */
export function budgeted(
  budgets: Budgets,
  measure: string,
  values: readonly number[],
  beside?: Beside,
): Row {
  const budget = present(budgets[measure], `the budget of ${measure}`);
  const { atMost, unit } = budget;
  const row =
    beside === undefined
      ? measured(measure, unit, values)
      : compared(measure, unit, values, beside);
  const verdict = row.low > atMost ? "missed" : row.high <= atMost ? "holds" : "not enough runs";
  return { ...row, goal: limitOf(budget), verdict };
}

/** A budget as the table and the page have it. */
export const limitOf = ({ atMost, unit }: Budget): string =>
  `≤ ${atMost.toLocaleString("en-US")} ${unit}`;
