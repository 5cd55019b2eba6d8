import { readFileSync } from "node:fs";
import { HeddleError } from "@heddle/base";

/** Linux counts in hundredths of a second, whatever the machine. */
const ticksPerSecond = 100;
/** utime and stime in `/proc/<pid>/stat`, counted from the state behind the program's name. */
const [userField, systemField] = [11, 12];

/**
 * CPU seconds of a process and all its threads since it started.
 *
 * @throws {HeddleError} FAILED_PRECONDITION NO_PROC where there is no `/proc`.
 */
export function cpuSecondsOf(pid: number): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch (cause) {
    const what = `process ${pid} is gone, or this system has no /proc: run the bench on Linux`;
    throw new HeddleError("FAILED_PRECONDITION", "NO_PROC", what, { cause });
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[userField]) + Number(fields[systemField])) / ticksPerSecond;
}
