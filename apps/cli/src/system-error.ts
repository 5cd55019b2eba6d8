import { HeddleError } from "@heddle/base";

/**
 * A refusal of the operating system as an expected failure: it is no bug of ours, and a stack helps nobody.
 *
 * @param place what was worked on, where the error names no path of its own.
 * @returns undefined for any other error.
 */
export function systemError(error: unknown, place = "this"): HeddleError | undefined {
  const { code = "", syscall, path = place } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return undefined;
  const options = { metadata: { path }, cause: error };
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return new HeddleError(
        "RESOURCE_EXHAUSTED",
        "DISK_FULL",
        `${path}: the disk is full (${code}): make room, and run it again`,
        options,
      );
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return new HeddleError(
        "FAILED_PRECONDITION",
        "NOT_ALLOWED",
        `${path}: the system does not allow it (${code}): look at its owner, its rights, and whether its disk is read-only`,
        options,
      );
    case "ENOTDIR":
    case "EEXIST":
      return new HeddleError(
        "FAILED_PRECONDITION",
        "NO_FOLDER",
        `${path}: a file is where a folder should be (${code}): name another folder`,
        options,
      );
    case "EISDIR":
      return new HeddleError(
        "INVALID_ARGUMENT",
        "NO_FILE",
        `${path}: it is a folder (${code}): name a file`,
        options,
      );
    case "ENOENT":
      return new HeddleError(
        "NOT_FOUND",
        "NO_SUCH_FILE",
        `${path}: there is no such file (${code}): check the path`,
        options,
      );
    case "EMFILE":
      return new HeddleError(
        "RESOURCE_EXHAUSTED",
        "FILES_EXHAUSTED",
        `${path}: too many files are open (${code}): raise the limit with ulimit -n`,
        options,
      );
    default:
      return undefined;
  }
}
