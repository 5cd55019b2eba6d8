import { programSettings } from "@heddle/backends";
import { z } from "zod";

/** What the feature store may take. */
export const Limits = z.strictObject({
  /** Threads of the engine's process. */
  engineThreads: z.int().positive().default(2),
  /** What DuckDB may hold in memory there; beyond it, it spills to disk. */
  engineMemoryBytesMax: z
    .int()
    .positive()
    .default(256 << 20),
  /** Records of a stream that may wait for their window; twice a window's in any case. */
  waitingRecordsMax: z.int().positive().default(200_000),
});
export type Limits = z.output<typeof Limits>;

/** Settings of a feature store that runs alone. */
export const Config = z.strictObject({
  ...programSettings("data/feature-store"),
  /** File with the key of the pseudonyms; made when it is missing. */
  pseudonymKeyFile: z.string().default("data/pseudonym.key"),
  limits: Limits.prefault({}),
});
