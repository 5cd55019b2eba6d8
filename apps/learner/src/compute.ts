import type { Executor } from "@heddle/executor";
import type { ObjectInfo, Objects } from "@heddle/objects";
import type { ModelDefinition } from "@heddle/sdk";
import { type Network, openNetwork, type StepRuns } from "./network.ts";
import { type VersionOrder, writeVersion } from "./write-version.ts";

/** What runs a model's graphs: this thread, or one of its own. */
export interface Compute {
  /** The executor's, for a model's recipe. */
  readonly environment: string;
  open(definition: ModelDefinition): Promise<Network & AsyncDisposable>;
  /** What the steps of the network that was opened last run as, or ran as; undefined when none was. */
  runs(): Promise<StepRuns | undefined>;
  /** Writes a version's files and manifest; its golden rows are scored by the executor. */
  write(order: VersionOrder): Promise<ObjectInfo>;
}

/** Computes on this thread: its event loop stands still while a step runs. */
export function localCompute(executor: Executor, objects: Objects): Compute {
  let runs: (() => StepRuns) | undefined;
  return {
    environment: executor.environment,
    open: async (definition) => {
      const network = await openNetwork(definition, executor);
      runs = network.runs;
      return network;
    },
    runs: async () => runs?.(),
    write: (order) => writeVersion({ objects, executor }, order),
  };
}
