import { programSettings } from "@heddle/backends";
import { z } from "zod";

/** What the scheduler allows. Times are in milliseconds. */
export const Limits = z.strictObject({
  /** A job that sends no heartbeat for this long is stopped and replaced. */
  leaseMs: z.int().min(50).default(10_000),
  /** A started job's first heartbeat may take this long: a process has to load. */
  firstBeatMs: z.int().min(50).default(30_000),
  /** Between SIGTERM and SIGKILL when a job is stopped. */
  stopGraceMs: z.int().nonnegative().default(2_000),
  /** Jobs at once; the gang of a training is its shards and one learner. */
  jobsMax: z.int().positive().default(4),
  /** Shards that one attempt replaces alone, in bounded mode; with the next loss it ends. */
  lossesMax: z.int().nonnegative().default(8),
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

export type Limits = z.output<typeof Limits>;
export type LimitSettings = z.input<typeof Limits>;

/** Settings of a scheduler that runs alone, with its jobs as child processes. */
export const Config = z.strictObject({
  ...programSettings("data/scheduler"),
  /** `host:port` of the other services. */
  peers: z.strictObject({
    registry: z.string(),
    featureStore: z.string(),
    evaluator: z.string(),
    sync: z.string(),
  }),
  /** Main files of the job programs, absolute paths. */
  programs: z.strictObject({
    dataset: z.string(),
    learner: z.string(),
    /** A learner that keeps the parameters itself. */
    "learner-alone": z.string(),
    shard: z.string(),
    evaluation: z.string(),
  }),
  /** Every n-th training step of its jobs is traced; 100 when absent. */
  traceEverySteps: z.int().positive().exactOptional(),
  limits: Limits.prefault({}),
});
