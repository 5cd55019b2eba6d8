import type { Interval } from "@heddle/statistics";

/** The standard normal's 97.5 % point. */
const z = 1.959964;

/**
 * A share with its 95 % Wilson score interval, which also holds for shares of 0 and 1.
 *
 * @param of a positive count.
 * @source Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.
 */
export function shareOf(count: number, of: number): Interval {
  const share = count / of;
  const middle = share + z ** 2 / (2 * of);
  const spread = z * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  const scale = 1 + z ** 2 / of;
  return {
    value: share,
    low: Math.max(0, (middle - spread) / scale),
    high: Math.min(1, (middle + spread) / scale),
  };
}

/**
 * The difference of two independent estimates, from the intervals of both.
 *
 * @source Newcombe, "Interval estimation for the difference between independent proportions",
 * Statistics in Medicine 1998, method 10.
 */
export function differenceOf(one: Interval, other: Interval): Interval {
  const value = one.value - other.value;
  return {
    value,
    low: value - Math.hypot(one.value - one.low, other.high - other.value),
    high: value + Math.hypot(one.high - one.value, other.value - other.low),
  };
}

/**
 * The ratio of two independent, non-negative estimates, from the intervals of both; its upper end is
 * Infinity where the divisor may be 0.
 *
 * @source Donner and Zou, "Closed-form confidence intervals for functions of the normal mean and
 * standard deviation", Statistical Methods in Medical Research 2012, equation 9 (MOVER-R).
 */
export function ratioOf(one: Interval, other: Interval): Interval {
  const product = one.value * other.value;
  const end = (oneEnd: number, otherEnd: number, sign: number): number => {
    const divisor = otherEnd * (2 * other.value - otherEnd);
    const under = product ** 2 - oneEnd * (2 * one.value - oneEnd) * divisor;
    return (product + sign * Math.sqrt(Math.max(0, under))) / divisor;
  };
  // Beyond twice the estimate the closed form has no root: the ends by themselves are wider.
  const low = other.high < 2 * other.value ? end(one.low, other.high, -1) : one.low / other.high;
  const high = other.low > 0 ? end(one.high, other.low, 1) : Infinity;
  return { value: one.value / other.value, low: Math.max(0, low), high };
}
