import type { EarlyStop } from "@heddle/proto/registry";
import { count } from "../../output/numbers.ts";

/** The part of a training's summary that it is said from. */
interface Stoppable {
  readonly steps: bigint;
  readonly earlyStop?: Omit<EarlyStop, "$typeName" | "$unknown"> | undefined;
}

/** Why and where a training ended before its data did, and what was not trained; undefined when all of it was. */
export function earlyStopLine(training: Stoppable | undefined): string | undefined {
  if (training?.earlyStop === undefined) return undefined;
  const { loss, bestLoss, bestStep, cutsSinceBest, minDelta, untrainedExamples, partition } =
    training.earlyStop;
  const cuts = cutsSinceBest === 1 ? "the cut" : `${cutsSinceBest} cuts`;
  const by = minDelta === 0 ? "" : ` by ${minDelta}`;
  return [
    `stopped early at step ${count(training.steps)}: ${cuts} since step ${count(bestStep)} did not lower`,
    `its loss of ${bestLoss.toFixed(4)}${by} (last ${loss.toFixed(4)});`,
    `${count(untrainedExamples)} examples from partition ${partition} on were not trained`,
  ].join(" ");
}
