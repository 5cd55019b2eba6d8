import type { Clock, Json } from "@heddle/base";
import type { DatasetColumn } from "@heddle/feature-engine";
import type { JobClient } from "@heddle/jobclient";
import type { Objects } from "@heddle/objects";
import type { FeatureStoreService } from "@heddle/proto/feature-store";
import type { RegistryService } from "@heddle/proto/registry";
import type { Client } from "@heddle/rpc";
import type { Telemetry } from "@heddle/telemetry";
import type { Compute } from "./compute.ts";
import type { Examples } from "./data/examples.ts";
import type { TrainingPartition } from "./data/reader.ts";
import type { Meters } from "./meters/meters.ts";
import type { RunDeclaration, Wire } from "./wire/wire.ts";

/** CPU and memory of this process. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

/** What a training run needs of the world. */
export interface TrainDeps {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly objects: Objects;
  readonly registry: Client<typeof RegistryService>;
  readonly featureStore: Client<typeof FeatureStoreService>;
  /** The line to the scheduler. */
  readonly scheduler: Pick<JobClient, "awaitGang" | "awaitReplacements" | "progress">;
  readonly openExamples: (
    columns: readonly DatasetColumn[],
    partitions: readonly TrainingPartition[],
  ) => Examples;
  readonly compute: Compute;
  readonly meters: Meters;
  /** What else decides bits: part of the recipe. */
  readonly environment: Readonly<Record<string, Json>>;
  readonly openWire: (declaration: RunDeclaration, addresses: readonly string[]) => Promise<Wire>;
  readonly usage: () => Usage;
  readonly traceEverySteps: number;
}

/** How long a call of another service may take, retries included. */
export const callMs = 60_000;
