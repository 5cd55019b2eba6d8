import type { JobExit } from "./port.ts";

/** What the parent sets for a job's process. */
export const inputVariable = "HEDDLE_JOB";
export const idVariable = "HEDDLE_JOB_ID";
export const parentVariable = "HEDDLE_JOB_PARENT";

/** The one message of a job to its parent. */
export interface ExitMessage {
  readonly heddleJobExit: JobExit;
}

export function isExitMessage(message: unknown): message is ExitMessage {
  return typeof message === "object" && message !== null && "heddleJobExit" in message;
}

/** Exit status for those who see nothing else: shells, Kubernetes. */
export const exitStatus = { succeeded: 0, failed: 1, retryable: 75 } as const;
