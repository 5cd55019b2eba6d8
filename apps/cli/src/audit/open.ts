import { join } from "node:path";
import { systemClock } from "@heddle/base";
import { openExecutor } from "@heddle/executor";
import { openDuckdb } from "@heddle/feature-engine";
import { type AuditDeps, datasetReader, localExamples } from "@heddle/learner";
import { openObjects } from "@heddle/objects";
import type { Clients } from "../host/clients.ts";
import { readHostFile } from "../host/host-file.ts";

const readerMemoryBytesMax = 256 << 20;

/** Runs an audit in this process, on the objects of the host that runs. */
export async function withAudit<T>(
  { registry, featureStore, telemetry }: Clients,
  state: string,
  use: (deps: AuditDeps, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal } = new AbortController();
  const objects = await openObjects(readHostFile(state)?.objects ?? join(state, "objects"));
  await using db = await openDuckdb({
    threads: 1,
    memoryBytesMax: readerMemoryBytesMax,
    tempFolder: "",
  });
  const deps: AuditDeps = {
    ...{ registry, featureStore, telemetry, clock: systemClock },
    executor: await openExecutor({ kind: "auto" }),
    openExamples: (columns, partitions) =>
      localExamples(datasetReader(objects, db, columns), partitions),
  };
  return await use(deps, signal);
}
