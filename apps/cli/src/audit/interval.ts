import type { Estimate } from "../output/numbers.ts";

/** `0.0021 [0.0010, 0.0032]`; nothing where an interval is undefined. */
export const intervalText = (interval: Estimate | undefined): string =>
  interval === undefined
    ? ""
    : `${interval.value.toFixed(4)} [${interval.low.toFixed(4)}, ${interval.high.toFixed(4)}]`;
