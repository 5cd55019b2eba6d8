import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { HeddleError } from "@heddle/base";
import { Secret } from "@heddle/config";

const keyBytes = 32;

/**
 * The key that makes pseudonyms, hexadecimal. A missing file is made, with a random key: whoever
 * keeps another copy of it can name the subjects, and whoever loses it can match no new event to old ones.
 *
 * @throws {HeddleError} FAILED_PRECONDITION PSEUDONYM_KEY_EMPTY.
 */
export async function openPseudonymKey(file: string): Promise<Secret> {
  try {
    await writeFile(file, randomBytes(keyBytes).toString("hex"), {
      flag: "wx",
      mode: 0o600,
      flush: true,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const key = (await readFile(file, "utf8")).trim();
  if (key === "") {
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "PSEUDONYM_KEY_EMPTY",
      `the pseudonym key file ${file} is empty: restore it from its backup; a new key would make new pseudonyms`,
    );
  }
  return new Secret(Buffer.from(key).toString("hex"));
}
