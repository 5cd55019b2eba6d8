import { programSettings } from "@heddle/backends";
import { z } from "zod";

export const Limits = z.strictObject({
  /** Largest difference of a golden output from the recorded one: what two executors may differ by. */
  goldenErrorMax: z.number().positive().default(1e-5),
  /** Between looks at what the target holds. */
  reconcileMs: z.int().positive().default(5_000),
  /** A look takes a digest of the target's memory that is at most so old: computing one takes it a second for each GiB. */
  digestAgeMaxMs: z.int().nonnegative().default(60_000),
  /** Earlier versions of a model that a fleet remembers. */
  previousMax: z.int().positive().max(100).default(16),
  /** A load copies all files of a version; a proof and a route digest all of its memory. */
  loadTimeoutMs: z.int().positive().default(60_000),
  /** Every other call. */
  callTimeoutMs: z.int().positive().default(10_000),
});
export type Limits = z.output<typeof Limits>;

/** Settings of a sync service that runs alone: variables `HEDDLE_SYNC_*`, or a file. */
export const Config = z.strictObject({
  ...programSettings("data/sync"),
  /** `host:port` of the registry. */
  registry: z.string(),
  /** `host:port` of the model server. */
  modelServer: z.string(),
  /** Name of the fleet that the model server is. */
  fleet: z.string().default("main"),
  limits: Limits.prefault({}),
});
