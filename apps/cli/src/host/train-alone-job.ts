/** Composition root of a training in one process: a learner that has the one shard itself, for one machine. */
import { runJob } from "@heddle/jobs";
import { trainAsJob } from "@heddle/learner/job";
import { openShard, tableRowsMaxDefault } from "@heddle/parameter-server";

await runJob((given, stopped) =>
  trainAsJob(given, stopped, (deps) =>
    openShard({
      ...deps,
      // The process is counted once, as the learner's.
      usage: () => ({ cpuSeconds: 0, peakMemoryBytes: 0 }),
      tableRowsMax: tableRowsMaxDefault,
    }),
  ),
);
