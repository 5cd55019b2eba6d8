import type { Objects } from "@heddle/objects";
import type { JobClient } from "@heddle/jobclient";
import type { EvaluatorService } from "@heddle/proto/evaluator";
import type { FeatureStoreService } from "@heddle/proto/feature-store";
import type { RegistryService } from "@heddle/proto/registry";
import type { Client } from "@heddle/rpc";
import type { Telemetry } from "@heddle/telemetry";
import type { ExampleReader } from "../scoring/reader.ts";
import type { RankingThread } from "../ranking/ranking-work.ts";
import type { OpenModel } from "../scoring/rivals.ts";

/** What an evaluation needs of the world. */
export interface EvaluationDeps {
  readonly registry: Pick<Client<typeof RegistryService>, "getVersion" | "getConfiguration">;
  readonly featureStore: Pick<Client<typeof FeatureStoreService>, "grantRead" | "getDataset">;
  readonly evaluator: Pick<Client<typeof EvaluatorService>, "getMetric">;
  /** The line to the scheduler. */
  readonly scheduler: Pick<JobClient, "progress">;
  readonly objects: Objects;
  readonly reader: ExampleReader;
  /** Opens other threads that rank so many rows beside this one; they load while the caller goes on. None on a machine of one core. */
  readonly openThreads: (rows: number) => readonly RankingThread[];
  readonly openModel: OpenModel;
  readonly telemetry: Telemetry;
  /** CPU seconds of this process so far. */
  readonly cpuSeconds: () => number;
}

/** How long a call of another service may take, retries included. */
export const callMs = 60_000;
