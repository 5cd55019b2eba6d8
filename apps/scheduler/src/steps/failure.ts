import { AssertionFailed, type ErrorCode, HeddleError, messageOf } from "@heddle/base";
import type { Failure } from "../runs/run-state.ts";

const retryableCodes: readonly ErrorCode[] = [
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "ABORTED",
  "RESOURCE_EXHAUSTED",
  "CANCELLED",
];

/** What an error makes of an attempt: only what may go away by itself is tried again. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AssertionFailed) throw error;
  if (error instanceof HeddleError) {
    const { reason, message, code } = error;
    return { reason, error: message, retryable: retryableCodes.includes(code) };
  }
  return { reason: "INTERNAL", error: messageOf(error), retryable: false };
}
