import type { Interval } from "@heddle/statistics";

/** Figures as explanations have them: enough digits to see the difference, no more. */
export const short = (value: number): string => String(Number(value.toPrecision(3)));

export const factor = (value: number): string =>
  value === Infinity ? "any size" : String(Number(value.toPrecision(value < 10 ? 2 : 1)));

/** A share as a percentage: `61 %`, `0.4 %`, `0 %`. */
export const percent = (share: number): string =>
  `${String(Number((share * 100).toPrecision(share < 0.1 ? 1 : 2)))} %`;

export const percentRange = ({ low, high }: Interval): string =>
  `${percent(low)} to ${percent(high)}`;
