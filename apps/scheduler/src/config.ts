import { z } from "zod";

/** The scheduler's settings. Times are in milliseconds. */
export const SchedulerConfig = z.strictObject({
  /** `host:port` to listen on; port 0 takes any free one. */
  address: z.string().default("127.0.0.1:0"),
  /** A job that sends no heartbeat for this long is stopped and replaced. */
  leaseMs: z.int().min(50).default(10_000),
  /** A started job's first heartbeat may take this long: a process has to load. */
  firstBeatMs: z.int().min(50).default(30_000),
  /** Between SIGTERM and SIGKILL when a job is stopped. */
  stopGraceMs: z.int().nonnegative().default(2_000),
  /** Jobs at once; the gang of a training is its shards and one learner. */
  jobsMax: z.int().positive().default(4),
  /** Heavy steps at once: each dataset build, training and evaluation takes one slot. */
  cpuSlots: z.int().positive().default(2),
  /** Steps of a pipeline. */
  stepsMax: z.int().positive().default(64),
  /** How long the evaluator may take for a verdict. */
  gateMs: z.int().positive().default(60_000),
  /** How long a publication may take: copy, load, proof, traffic. */
  publishMs: z.int().positive().default(300_000),
  /** How long any other call of another service may take. */
  callMs: z.int().positive().default(10_000),
});

export type SchedulerConfig = z.output<typeof SchedulerConfig>;
export type SchedulerSettings = z.input<typeof SchedulerConfig>;
