import { HeddleError } from "@heddle/base";
import type { IngestTask } from "./ingest-task.ts";

/** Why a file is refused: source, file and problem, then what to do. */
export function refused(
  task: Pick<IngestTask, "source" | "fileName">,
  reason: string,
  problem: string,
  remedy: string,
  column?: string,
): HeddleError {
  const { source, fileName } = task;
  return new HeddleError(
    "INVALID_ARGUMENT",
    reason,
    `source ${source.name}, file ${fileName}: ${problem}; ${remedy}. Nothing of the file was kept`,
    {
      metadata: {
        source: source.name,
        file: fileName,
        ...(column === undefined ? {} : { column }),
      },
    },
  );
}
