import { Secret } from "@heddle/config";
import { z } from "zod";

/**
 * What a service that runs alone is told of its backends; a part of its settings.
 *
 * @param folder of its LMDB environment where it is told none.
 */
export const backendSettings = (folder: string) => ({
  /** Folder of its LMDB environment: documents, events and online values, as far as no server keeps them. */
  state: z.string().default(folder),
  mapBytesMax: z
    .int()
    .positive()
    .default(4 * 2 ** 30),
  /** `mongodb://…`, which may hold a password, so that no log shows it; LMDB when absent. */
  storeUrl: z
    .string()
    .transform((url) => new Secret(url))
    .exactOptional(),
  /** File whose first line is that URL, where one with a password belongs. */
  storeUrlFile: z.string().exactOptional(),
  /** `kafka://…`; LMDB when absent. */
  logUrl: z.string().exactOptional(),
  /** Who this is at the Kafka brokers, by SCRAM-SHA-512; nobody when absent. */
  logUser: z.string().exactOptional(),
  /** File that holds the user's password. */
  logPasswordFile: z.string().exactOptional(),
  /** How far the online values may be behind those of other processes before this one says NOT_SERVING; 30 s when absent. */
  onlineLagMsMax: z.int().positive().exactOptional(),
  /** A folder, or `s3://bucket/prefix?endpoint=…&region=…`. */
  objects: z.string().default("data/objects"),
});

/** Where a process keeps what. */
export type Places = z.output<z.ZodObject<ReturnType<typeof backendSettings>>>;
