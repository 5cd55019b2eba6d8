import { programSettings } from "@heddle/backends";
import { z } from "zod";

/** What the registry keeps at most: a family is one document of at most 1 MiB. */
export const Limits = z.strictObject({
  /** Versions of one model: ten years of daily training. */
  versionsPerModelMax: z.int().positive().max(4_000).default(4_000),
  /** Runs of one model; a run that is never finished counts, too. */
  runsPerModelMax: z.int().positive().max(4_000).default(4_000),
  configurationsPerModelMax: z.int().positive().max(1_000).default(1_000),
  /** Changes of the live version that a family remembers; older ones stay in the event log. */
  liveChangesMax: z.int().positive().max(1_000).default(1_000),
  /** Newest snapshots that a run keeps. */
  snapshotsPerRunMax: z.int().positive().max(64).default(8),
  /** Nodes of one lineage answer, the nearest first. */
  lineageNodesMax: z.int().positive().max(10_000).default(500),
});
export type Limits = z.output<typeof Limits>;

/** Settings of a registry that runs alone. */
export const Config = z.strictObject({
  ...programSettings("data/registry"),
  /** `host:port` of the feature store. */
  featureStore: z.string(),
  limits: Limits.prefault({}),
});
