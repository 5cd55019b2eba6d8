import { HeddleError, isHeddleError, messageOf } from "@heddle/base";
import type { StepSpec } from "./port.ts";

/** What a step threw, as an error that names the step; one that says so already stays as it is. */
export function stepFailed(spec: StepSpec, rows: number, cause: unknown): HeddleError {
  if (isHeddleError(cause)) return cause;
  const message = `step "${spec.name}" failed on ${rows} rows: ${messageOf(cause)}`;
  return new HeddleError("INVALID_ARGUMENT", "STEP_FAILED", message, {
    metadata: { step: spec.name },
    cause,
  });
}
