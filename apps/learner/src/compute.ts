import type { Executor } from "@heddle/executor";
import type { ObjectInfo, Objects } from "@heddle/objects";
import type { ModelDefinition } from "@heddle/sdk";
import { type VersionOrder, writeVersion } from "./export.ts";
import { type Network, openNetwork } from "./network.ts";

/** What runs a model's graphs: this thread, or one of its own. */
export interface Compute {
  /** The executor's, for a model's recipe. */
  readonly environment: string;
  open(definition: ModelDefinition): Promise<Network & AsyncDisposable>;
  /** Writes a version's files and manifest; its golden rows are scored by the executor. */
  write(order: VersionOrder): Promise<ObjectInfo>;
}

/** Computes on this thread: its event loop stands still while a step runs. */
export function localCompute(executor: Executor, objects: Objects): Compute {
  return {
    environment: executor.environment,
    open: (definition) => openNetwork(definition, executor),
    write: (order) => writeVersion({ objects, executor }, order),
  };
}
