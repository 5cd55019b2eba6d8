import { createHmac, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { HeddleError, isHeddleError } from "@heddle/base";
import { Secret } from "@heddle/config";
import type { DocumentStore, Stored } from "@heddle/store";

/** The key that makes pseudonyms. */
export interface PseudonymKey {
  /**
   * The key in hexadecimal, once the store said that its pseudonyms were made with it.
   *
   * @throws {HeddleError} FAILED_PRECONDITION PSEUDONYM_KEY_DIFFERS; as the document store does.
   */
  hex(): Promise<string>;
}

/** What the store keeps of the key that was first used with it. */
interface Known {
  readonly fingerprint: string;
}

interface KeyFile {
  readonly key: Secret;
  /** Fingerprints of keys that are lost, in whose place this one is to come. */
  readonly replaces: readonly string[];
}

const keyBytes = 32;
const fingerprintDigits = 16;
/** A key, and a line for each that it replaces. */
const fileForm = /^(?<key>.*?)(?<replaced>(\s*\nreplaces [0-9a-f]{16})*)\s*$/s;

/**
 * Reads the key from its file. A missing file is made, with a random key: whoever keeps another copy of it can name the subjects, and
 * whoever loses it can match no new event to old ones. So the store keeps a fingerprint of the key that was first used with it, and no
 * other is taken: of two feature stores of which each made a key of its own, the second is refused. A key that is lost is replaced by
 * saying so in the file, in the words of the refusal.
 *
 * @throws {HeddleError} FAILED_PRECONDITION PSEUDONYM_KEY_EMPTY.
 */
export async function openPseudonymKey(file: string, store: DocumentStore): Promise<PseudonymKey> {
  const { key, replaces } = await readKeyFile(file);
  const documents = store.collection<Known>("pseudonym-key");
  const fingerprint = fingerprintOf(key);
  const put = async (revision: number): Promise<void> => {
    try {
      await documents.put(documentKey, { fingerprint }, revision);
    } catch (error) {
      // Another feature store was first: what it wrote is looked at next.
      if (!isHeddleError(error, "REVISION_CONFLICT")) throw error;
    }
  };
  const agree = async (): Promise<void> => {
    for (;;) {
      const known: Stored<Known> | undefined = await documents.get(documentKey);
      const first = known?.value.fingerprint;
      if (first === fingerprint) return;
      if (first !== undefined && !replaces.includes(first)) throw keyDiffers(file, first);
      await put(known?.revision ?? 0);
    }
  };
  let agreed = false;
  return {
    hex: async () => {
      if (!agreed) await agree();
      agreed = true;
      return key.reveal();
    },
  };
}

const documentKey = "pseudonym-key";

function fingerprintOf(key: Secret): string {
  const digest = createHmac("sha256", key.reveal()).update("heddle pseudonym key").digest("hex");
  return digest.slice(0, fingerprintDigits);
}

async function readKeyFile(file: string): Promise<KeyFile> {
  try {
    await writeFile(file, randomBytes(keyBytes).toString("hex"), {
      flag: "wx",
      mode: 0o600,
      flush: true,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const { key = "", replaced = "" } = fileForm.exec(await readFile(file, "utf8"))?.groups ?? {};
  if (key.trim() === "") {
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "PSEUDONYM_KEY_EMPTY",
      `the pseudonym key file ${file} is empty: restore it from its backup; a new key would make new pseudonyms`,
    );
  }
  return {
    key: new Secret(Buffer.from(key.trim()).toString("hex")),
    replaces: replaced.match(/[0-9a-f]{16}/g) ?? [],
  };
}

function keyDiffers(file: string, known: string): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "PSEUDONYM_KEY_DIFFERS",
    `the pseudonym key file ${file} is not the one that the pseudonyms in the document store were made with, so a subject would not be the one of earlier events: if the store is another system's, correct its URL; else stop this feature store, copy the file of one that works (or of a backup) there, and start again; if that key is lost for good, append the line "replaces ${known}" to the file of every feature store instead`,
  );
}
