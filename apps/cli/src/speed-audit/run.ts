import { join } from "node:path";
import { systemClock } from "@heddle/base";
import { openExecutor } from "@heddle/executor";
import { openDuckdb } from "@heddle/feature-engine";
import {
  auditModel,
  datasetReader,
  localExamples,
  type SpeedAudit,
  type TrainDeps,
} from "@heddle/learner";
import { openFileObjects } from "@heddle/objects";
import type { Clients } from "../host/clients.ts";

export interface AuditFlags {
  readonly state: string;
  readonly inFlight: readonly number[];
  readonly tolerance: number;
  readonly seed: number;
}

const readerMemoryBytesMax = 256 << 20;
const replicates = 500;

/** Audits in this process, on the objects of the state folder. */
export async function runSpeedAudit(
  clients: Clients,
  model: string,
  { state, inFlight, tolerance, seed }: AuditFlags,
  say: (line: string) => void,
): Promise<SpeedAudit> {
  const { signal } = new AbortController();
  const objects = await openFileObjects({ path: join(state, "objects") });
  await using db = await openDuckdb({
    threads: 1,
    memoryBytesMax: readerMemoryBytesMax,
    tempFolder: "",
  });
  const { registry, featureStore, telemetry } = clients;
  const deps = {
    ...{ registry, featureStore, telemetry, clock: systemClock },
    executor: await openExecutor({ kind: "auto" }),
    openExamples: ((columns, partitions) =>
      localExamples(
        datasetReader(objects, db, columns),
        partitions,
      )) satisfies TrainDeps["openExamples"],
  };
  const onSetting = (setting: { inFlight: number; staleness: number }, n: number, of: number) => {
    const updates = `${setting.inFlight} in flight, staleness up to ${setting.staleness}`;
    say(`training ${n} of ${of}: ${updates}`);
  };
  const bounds = { inFlight, tolerance, replicates, seed };
  return await auditModel(deps, { model, reader: "speed-audit", ...bounds, onSetting }, signal);
}
