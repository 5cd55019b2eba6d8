import { HeddleError, messageOf } from "@heddle/base";

const fullCodes: readonly unknown[] = ["ENOSPC", "EDQUOT", "EFBIG"];

/** What an error of the file system means to a caller. */
export function objectsError(error: unknown, place: string): HeddleError {
  if (error instanceof HeddleError) return error;
  if (fullCodes.includes(codeOf(error))) {
    return new HeddleError(
      "RESOURCE_EXHAUSTED",
      "OBJECTS_FULL",
      `there is no room for ${place}: free space on its disk, then retry; nothing of it was kept`,
      { cause: error },
    );
  }
  return new HeddleError(
    "UNAVAILABLE",
    "OBJECTS_FAILED",
    `${place} could not be read or written (${messageOf(error)}); check the disk, then retry`,
    { cause: error },
  );
}

/** The system's name of an error: `ENOENT`, `EEXIST`, … */
export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}

export function noSuchObject(name: string): HeddleError {
  return new HeddleError("NOT_FOUND", "NO_SUCH_OBJECT", `there is no object ${name}`);
}

export function noSuchFile(path: string, name: string): HeddleError {
  return new HeddleError(
    "NOT_FOUND",
    "NO_SUCH_FILE",
    `there is no file ${path} to store as ${name}`,
  );
}

export function objectDiffers(name: string, stored: string, offered: string): HeddleError {
  return new HeddleError(
    "ALREADY_EXISTS",
    "OBJECT_DIFFERS",
    `object ${name} holds other bytes (${stored.slice(0, 12)}, not ${offered.slice(0, 12)}): objects never change, take a new name`,
    { metadata: { stored, offered } },
  );
}

export function objectCorrupt(name: string, why: string): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "OBJECT_CORRUPT",
    `object ${name} is not what was stored: ${why}; restore it from a backup or build it anew`,
    { metadata: { object: name } },
  );
}

export function nameInvalid(name: string, why: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "OBJECT_NAME_INVALID",
    `${JSON.stringify(name.slice(0, 100))} is no object name: ${why}`,
  );
}

/** A URL that is taken for a folder would make one named `s3:` wherever the process happens to stand, and objects would be lost there. */
export function folderIsUrl(path: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "OBJECTS_FOLDER_INVALID",
    `a folder of objects was expected, and ${path.split("?")[0]} is a URL: name a folder, or a bucket as s3://bucket/prefix`,
  );
}
