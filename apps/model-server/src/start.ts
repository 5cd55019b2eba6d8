import type { Clock } from "@heddle/base";
import type { Executor } from "@heddle/executor";
import type { Objects } from "@heddle/objects";
import { type Need, type Running, serve } from "@heddle/rpc";
import type { Telemetry } from "@heddle/telemetry";
import { Limits } from "./config.ts";
import { startLoader } from "./load.ts";
import { startScoring } from "./scoring.ts";
import { modelServerService } from "./service.ts";
import { startVersions } from "./versions.ts";

export interface ModelServerDeps {
  /** Where versions come from. */
  readonly objects: Objects;
  /** The server's own store, which nobody else writes. */
  readonly copies: Objects;
  /** What runs the forward pass: asked for with each load, the same each time. */
  readonly executor: () => Promise<Executor>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** `host:port` to listen on; any free port of 127.0.0.1 when absent. */
  readonly address?: string;
  readonly limits?: Partial<Limits>;
  /** What must be well while nothing is in memory: what is there answers without it. */
  readonly needs?: readonly Need[];
}

/**
 * Starts a model server. It begins with nothing in memory: what it serves is decided by sync,
 * which loads it again after a restart.
 */
export async function startModelServer(deps: ModelServerDeps): Promise<Running> {
  const { telemetry, clock } = deps;
  const limits = Limits.parse(deps.limits ?? {});
  const versions = startVersions(limits.loadedVersionsMax);
  const loader = startLoader({ ...deps, versions });
  const scoring = startScoring(versions, telemetry, clock);
  const server = await serve({
    implementations: [modelServerService({ versions, loader, scoring, clock, limits })],
    telemetry,
    needs: (deps.needs ?? []).map((need) => ({
      ...need,
      check: async () => {
        if (versions.all().length === 0) await need.check();
      },
    })),
    address: deps.address,
  });
  return {
    address: server.address,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await versions[Symbol.asyncDispose]();
    },
  };
}
