import { HeddleError } from "@heddle/base";
import { allFinite } from "@heddle/tensor";
import type { StepResult } from "../network.ts";
import type { TrainingBatch } from "../data/rows.ts";

/** @throws {HeddleError} INVALID_ARGUMENT NOT_FINITE naming learner, step, partition and batch. */
export function checkFinite(
  learner: string,
  step: number,
  { partition, at }: TrainingBatch,
  { loss, gradients }: StepResult,
): void {
  const named = [...Object.entries(gradients.rows), ...Object.entries(gradients.dense)];
  const wrong = Number.isFinite(loss)
    ? named.find(([, values]) => !allFinite(values))?.[0]
    : "the loss";
  if (wrong === undefined) return;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "NOT_FINITE",
    `${wrong} is not finite in step ${step} of learner ${learner} (partition ${partition}, batch ${at.batch}); nothing of the step was pushed: lower the learning rates, or look for extreme feature values in that partition`,
    { metadata: { learner, step: String(step), partition, batch: String(at.batch) } },
  );
}
