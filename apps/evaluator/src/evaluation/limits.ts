/** What an evaluation measures at most, and when it says nothing. */
export const limits = {
  /** Draws of the bootstrap: the ends of a 95 % interval then vary by a tenth of its width. */
  replicates: 300,
  seed: 20_241_123,
  /** Values of a `by` slice that are measured, those with the most positives. */
  sliceValuesMax: 12,
  /** A slice with fewer positives has counts only: an interval would promise too much. */
  slicePositivesMin: 30,
  /** The same for visits of a ranking metric. */
  sliceVisitsMin: 30,
} as const;
