import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { HeddleError, messageOf } from "@heddle/base";

/**
 * Makes a folder that a command writes to.
 *
 * @param noun what it is for, in messages.
 * @returns whether it is new.
 * @throws {HeddleError} FAILED_PRECONDITION FOLDER_UNUSABLE.
 */
export function makeFolder(folder: string, noun: string): boolean {
  try {
    const made = mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return made !== undefined;
  } catch (error) {
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "FOLDER_UNUSABLE",
      `${noun} ${folder} cannot be used: ${whyUnusable(resolve(folder), error)}; mend that, or choose another folder`,
      { cause: error },
    );
  }
}

/** The folder of all state, as `makeFolder`. */
export const makeStateFolder = (state: string): boolean => makeFolder(state, "the state folder");

/** The first part of the path that is there is what stands in the way; the error of making the rest may not say so. */
function whyUnusable(folder: string, error: unknown): string {
  let there = folder;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  if (!statSync(there).isDirectory()) return `${there} is a file`;
  try {
    accessSync(there, constants.W_OK);
    return messageOf(error);
  } catch {
    return `${there} cannot be written to`;
  }
}
