/** The nearest that there is to training in one process: a shard is served in the learner's own, and reached by lane all the same. */
import { type JobInput, openJobClient } from "@heddle/jobclient";
import { openFileObjects } from "@heddle/objects";
import { startShard } from "@heddle/parameter-server";
import { silentTelemetry } from "@heddle/telemetry";

const input = JSON.parse(process.env["HEDDLE_JOB"] ?? "{}") as JobInput & {
  readonly objects: string;
};
const telemetry = silentTelemetry();
const shard = await startShard({
  objects: await openFileObjects({ path: input.objects }),
  telemetry,
  // The learner's process is counted once, as a whole.
  usage: () => ({ cpuSeconds: 0, peakMemoryBytes: 0 }),
  tableRowsMax: 5_000_000,
  lane: "unix",
});
await openJobClient({ ...input, job: "shard-0" }, telemetry).setAddress(shard.address);
await import("@heddle/learner/train-job");
