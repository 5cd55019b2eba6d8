import { auditModelBatchSize, type BatchSizeAudit, type Per, type RateRule } from "@heddle/learner";
import { withAudit } from "../open.ts";
import type { Clients } from "../../host/clients.ts";

export interface BatchAuditFlags {
  readonly state: string;
  readonly sizes: readonly number[];
  readonly examples: number;
  readonly rounds: number;
  readonly rates: RateRule;
  readonly per: Per;
  readonly within: number;
  readonly tolerance: number;
  /** Absent: four fifths of what the machine has free. */
  readonly memoryMib?: number;
  readonly seed: number;
}

const replicates = 500;

/** Audits in this process, on the objects of the state folder. */
export async function runBatchAudit(
  clients: Clients,
  model: string,
  flags: BatchAuditFlags,
  say: (line: string) => void,
): Promise<BatchSizeAudit> {
  const { state, sizes, examples, memoryMib, rounds, rates, per, within, tolerance, seed } = flags;
  const residentBytes = (): number => process.memoryUsage.rss();
  const meter = {
    seconds: () => performance.now() / 1_000,
    cpuSeconds: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
    residentBytes,
  };
  const request = {
    ...{ model, reader: "batch-audit", rowsMax: examples, sizes, rounds, rates, per },
    ...{ within, tolerance, seed, replicates, meter },
    residentBytesMax:
      memoryMib === undefined
        ? residentBytes() + 0.8 * process.availableMemory()
        : memoryMib * 2 ** 20,
    onTraining: (batchSize: number, what: "quality" | "throughput") => {
      say(`training with batches of ${batchSize}, for its ${what}`);
    },
  };
  return await withAudit(clients, state, (deps, signal) =>
    auditModelBatchSize(deps, request, signal),
  );
}
