import { HeddleError } from "@heddle/base";
import { lockFolder } from "@heddle/base/lock-folder";

/**
 * Makes this process the one host of a state folder.
 *
 * @throws {HeddleError} FAILED_PRECONDITION STATE_FOLDER_IN_USE naming the process that holds it.
 */
export function lockStateFolder(folder: string): Disposable {
  return lockFolder(
    folder,
    "host",
    (pid, cause) =>
      new HeddleError(
        "FAILED_PRECONDITION",
        "STATE_FOLDER_IN_USE",
        `another heddle host (pid ${pid}) uses ${folder}; commands use that host by themselves, or choose another folder with --state`,
        { metadata: { folder, pid }, cause },
      ),
  );
}
