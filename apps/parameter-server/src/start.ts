import { serve } from "@heddle/rpc";
import { shardService, type ShardServiceDeps } from "./service.ts";

export interface Running {
  /** `host:port` it listens on. */
  readonly address: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Serves one empty shard on a free port; the learner's Configure gives it its run. */
export async function startShard(deps: ShardServiceDeps): Promise<Running> {
  return serve({ implementations: [shardService(deps)], telemetry: deps.telemetry });
}
