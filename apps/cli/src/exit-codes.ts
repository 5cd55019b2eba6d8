import { HeddleError } from "@heddle/base";

/** Stable exit codes; scripts may rely on them. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  differs: 3,
  gateFailed: 4,
  notEnoughData: 5,
  refused: 6,
  interrupted: 130,
} as const;

/** The exit code of what the gate said of a version. */
export function exitCodeOfVerdict(verdict: string): number {
  if (verdict === "fail") return exitCodes.gateFailed;
  return verdict === "not-enough-data" ? exitCodes.notEnoughData : exitCodes.done;
}

/** The exit code of what a command threw. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof HeddleError)) return exitCodes.failed;
  if (error.code === "PERMISSION_DENIED") return exitCodes.refused;
  if (error.code === "INVALID_ARGUMENT" && error.reason.startsWith("USAGE_"))
    return exitCodes.usage;
  return exitCodes.failed;
}
