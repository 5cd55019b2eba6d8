export { exitWithParent } from "./exit-with-parent.ts";
export { passedOn } from "./passed-on.ts";
export type { JobExit, Jobs, JobSpec, RunningJob } from "./port.ts";
export { openProcessJobs, type ProcessJobsOptions } from "./process-jobs.ts";
export { parentVariable } from "./protocol.ts";
export { runJob } from "./run-job.ts";
export { usageOfProcess } from "./usage.ts";
