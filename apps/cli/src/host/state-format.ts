import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HeddleError } from "@heddle/base";

/** Counts the changes after which what lies in a state folder cannot be read by a Heddle from before. */
const stateFormat = 1;

/**
 * Notes the format of a state folder, where none is noted yet: such folders are new, or have the first.
 *
 * @throws {HeddleError} FAILED_PRECONDITION STATE_FORMAT_DIFFERS.
 */
export function checkStateFormat(state: string): void {
  const file = join(state, "format");
  const found = formatIn(file);
  if (found === stateFormat) return;
  if (found === undefined) return writeFileSync(file, `${stateFormat}\n`);
  const other = found > stateFormat ? "a newer" : "an older";
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "STATE_FORMAT_DIFFERS",
    `the state folder ${state} is of ${other} Heddle: it has format ${found}, this one reads ${stateFormat}; use that Heddle, or another folder with --state`,
    { metadata: { state, format: String(found) } },
  );
}

/** A number that was cut short by a crash counts as none. */
function formatIn(file: string): number | undefined {
  try {
    const found = Number.parseInt(readFileSync(file, "utf8"), 10);
    return Number.isNaN(found) ? undefined : found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
