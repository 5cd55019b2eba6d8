import { jobFields } from "@heddle/jobclient";
import { z } from "zod";

/** Rows that a table of a shard may hold unless it is told otherwise: some 150 bytes each at dimension 16. */
export const tableRowsMaxDefault = 5_000_000;

/** What the scheduler hands to a shard: the fields of every job, and the shard's own bound. */
export const ShardInput = z.strictObject({
  ...jobFields,
  peers: z.record(z.string(), z.string()),
  /** Above 0 when it takes the place of a lost shard: no other process of the attempt has the same. */
  life: z.number().int().nonnegative().default(0),
  /** Rows a table may hold. */
  tableRowsMax: z.number().int().positive().default(tableRowsMaxDefault),
  /** How lanes are offered to the learner: a socket in a folder of this user, loopback TCP, or not at all (gRPC alone). */
  lane: z.enum(["unix", "tcp", "none"]).default("unix"),
});
