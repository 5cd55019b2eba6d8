import type { TrainingSummary } from "@heddle/proto/registry";
import { bytes } from "../output/numbers.ts";

/** What spared bytes, in words. */
const means: readonly (readonly [total: string, words: string])[] = [
  ["sparedByIds", "ids that were named by their list"],
  ["sparedByFormat", "rows in fewer bytes than float32"],
  ["sparedByCache", "rows of earlier pulls"],
];

/**
 * What a step of the attempt that finished moved between learner and shards, and what it spared by which means: `a step pulled 1.2 MB, …`;
 * undefined where it trained nothing or an earlier release did not say.
 */
export function trafficLine(
  training:
    Pick<TrainingSummary, "movedBytes" | "steps" | "examples" | "attemptExamples"> | undefined,
): string | undefined {
  if (training === undefined || training.attemptExamples === 0n) return undefined;
  const { movedBytes, steps, examples, attemptExamples } = training;
  const { pulled, pushed, spared = 0n } = movedBytes;
  if (pulled === undefined || pushed === undefined) return undefined;
  const own = (Number(steps) * Number(attemptExamples)) / Number(examples);
  const ofStep = (all: bigint): string => bytes(BigInt(Math.round(Number(all) / own)));
  const by = means.flatMap(([total, words]) => {
    const some = movedBytes[total] ?? 0n;
    return some === 0n ? [] : [`${ofStep(some)} by ${words}`];
  });
  const sparing = by.length === 0 ? "" : `: ${by.join(", ")}`;
  return `a step pulled ${ofStep(pulled)} and pushed ${ofStep(pushed)}; ${ofStep(spared)} did not have to move${sparing}`;
}
