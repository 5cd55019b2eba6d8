import { HeddleError } from "@heddle/base";
import type { BenchOptions } from "./main.ts";

/**
 * The parts of a bench that are asked for, by name: all, or the one that `--part` names.
 *
 * @throws {HeddleError} INVALID_ARGUMENT PART_UNKNOWN.
 */
export function partsAsked<P>(
  bench: string,
  parts: Readonly<Record<string, P>>,
  { args: { part } }: Pick<BenchOptions, "args">,
): readonly (readonly [string, P])[] {
  const asked = Object.entries(parts).filter(([name]) => part === undefined || name === part);
  if (asked.length > 0) return asked;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "PART_UNKNOWN",
    `the bench ${bench} has no part "${part}"; there are ${Object.keys(parts).join(", ")}`,
  );
}
