import {
  connectShards,
  openShardWire,
  type ShardWireOptions,
  type WireOptions,
} from "./shard-wire.ts";
import type { RunDeclaration, Wire } from "./wire.ts";
import type { Route, ShardClients } from "./shard/route.ts";

/** The wire that any shard has: all calls by gRPC. */
export function openGrpcWire(
  declaration: RunDeclaration,
  options: ShardWireOptions,
): Promise<Wire> {
  return openShardWire(declaration, connectShards(options), options, async (clients) =>
    grpcRoute(clients, options),
  );
}

export function grpcRoute(
  { traced, quiet }: ShardClients,
  { traceEverySteps }: WireOptions,
): Route {
  return {
    at: (step) => {
      const shard = step % traceEverySteps === 0 ? traced : quiet;
      return {
        pull: async (request, call, read) => read(await shard.pull(request, call)),
        push: async (request, call) => (await shard.push(request, call)).step,
      };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}
