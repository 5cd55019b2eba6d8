import type { PartitionRange, PipelineDefinition } from "@heddle/sdk";

/** Whether these are windows of the event log, not partitions of the model. */
export const isOfLog = ({ kind }: PartitionRange): boolean => kind === "log" || kind === "log-next";

/** Whether its runs are for windows of the event log, one continuing the other. */
export function isOnline({ steps }: PipelineDefinition): boolean {
  return Object.values(steps).some(
    (step) => step.kind === "build-dataset" && isOfLog(step.partitions),
  );
}
