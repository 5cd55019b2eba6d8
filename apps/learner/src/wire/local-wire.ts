import { present } from "@heddle/base";
import { openPool, type Pool } from "@heddle/lane";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import { connectLocal, type Implementation, type LocalClient } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { borrow, type Loan } from "./shard/loan.ts";
import { openShardWire, type WireOptions } from "./shard-wire.ts";
import type { RunDeclaration, Wire } from "./wire.ts";
import type { Route, ShardClients } from "./shard/route.ts";

/** Memory of gradients in fewer bytes than float32, as they are unpacked. */
const heldBytesMax = 64 << 20;

type LocalShard = LocalClient<typeof ParameterServerService>;
interface LocalClients extends ShardClients {
  readonly traced: LocalShard;
  readonly quiet: LocalShard;
}

/** The wire to shards in this very process: their handlers are called, and nothing is encoded or sent. */
export function openLocalWire(
  declaration: RunDeclaration,
  shards: readonly Implementation[],
  options: WireOptions,
): Promise<Wire> {
  const { telemetry, actor } = options;
  const open = (shard: Implementation, calls = telemetry): LocalShard =>
    connectLocal(ParameterServerService, shard, { telemetry: calls, actor });
  const clients = shards.map((of, shard): LocalClients => {
    return { shard, traced: open(of), quiet: open(of, silentTelemetry()) };
  });
  const routes = clients.map((of) => localRoute(of, options, openPool({ heldBytesMax })));
  const own = { ...options, inProcess: true };
  return openShardWire(declaration, { first: clients }, own, async ({ shard }) =>
    present(routes[shard], "a shard's route"),
  );
}

function localRoute(
  { traced, quiet }: LocalClients,
  { traceEverySteps }: WireOptions,
  pool: Pool,
): Route {
  /** Memory of a call that failed may still be written to: it is not used again. */
  const withRoom = async <T>(run: (room: Loan["bytes"]) => Promise<T>): Promise<T> => {
    const loan = borrow(pool);
    const answer = await run(loan.bytes);
    loan.giveBack();
    return answer;
  };
  return {
    at: (step) => {
      const shard = step % traceEverySteps === 0 ? traced : quiet;
      return {
        pull: async (request, call, read) => read(await shard.pull(request, call)),
        push: async (request, call) =>
          (await withRoom((room) => shard.push(request, { ...call, room }))).step,
      };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}
