import { present } from "@heddle/base";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import { type Client, connect } from "@heddle/rpc";
import { silentTelemetry, type Telemetry } from "@heddle/telemetry";
import { bytesOf, float32Of } from "@heddle/tensor";
import { badAnswer, layOut, type ShardLayout } from "./shard-layout.ts";
import type { RunDeclaration, Wire } from "./wire.ts";

export interface GrpcWireOptions {
  /** `host:port` of each shard, in order of their numbers. */
  readonly addresses: readonly string[];
  /** The learner's job id. */
  readonly actor: string;
  readonly telemetry: Telemetry;
  /** Every n-th step's pull and push is a span; the others leave none. */
  readonly traceEverySteps: number;
  /** Ends all calls. */
  readonly signal: AbortSignal;
}

type Shard = Client<typeof ParameterServerService>;

/** For calls of a step: the longest a push may wait for a pull, and so for a step's computation. */
const stepCallMs = 60_000;
/** For calls that move a whole shard. */
const shardCallMs = 300_000;

/** Connects to the shards and configures each with its part of the run. */
export async function openGrpcWire(
  declaration: RunDeclaration,
  options: GrpcWireOptions,
): Promise<Wire> {
  const { addresses, actor, telemetry, signal, traceEverySteps } = options;
  const open = (calls: Telemetry): Shard[] =>
    addresses.map((address) =>
      connect(ParameterServerService, address, { telemetry: calls, actor }),
    );
  const traced = open(telemetry);
  const quiet = open(silentTelemetry());
  const layout = layOut(declaration, addresses.length);
  const shardCall = { timeoutMs: shardCallMs, signal };
  const fence = BigInt(declaration.fence);

  await each(traced, (client, shard) =>
    client.configure({ ...declarationOf(declaration, layout, shard), fence }, shardCall),
  );
  return {
    ...stepCalls(declaration, layout, signal, (step) =>
      step % traceEverySteps === 0 ? traced : quiet,
    ),
    restore: async (step, files) => {
      const objects = files.map((file) => ({ ...file, bytes: BigInt(file.bytes) }));
      await each(traced, (client) =>
        client.restore({ fence, step: BigInt(step), objects }, shardCall),
      );
    },
    snapshot: async (step, objectPrefix) =>
      each(traced, async (client, shard) => {
        const request = { fence, step: BigInt(step), objectPrefix };
        const { object } = await client.snapshot(request, shardCall);
        if (object === undefined) throw badAnswer(shard, "a snapshot without its file");
        return { name: object.name, bytes: Number(object.bytes), sha256: object.sha256 };
      }),
    usage: async () => {
      const stats = await each(traced, (client) => client.stats({}, shardCall));
      return { cpuSeconds: stats.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) };
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of [...traced, ...quiet]) await client[Symbol.asyncDispose]();
    },
  };
}

/** Pull and push, split over the shards and put together again. */
function stepCalls(
  { fence: token, tables }: RunDeclaration,
  layout: ShardLayout,
  signal: AbortSignal,
  clientsAt: (step: number) => readonly Shard[],
): Pick<Wire, "pull" | "push"> {
  const fence = BigInt(token);
  const call = { timeoutMs: stepCallMs, signal };
  return {
    pull: async (step, ids) => {
      const parts = layout.split(ids);
      const answers = await each(clientsAt(step), async (client, shard) => {
        const own = bytesOf(present(parts[shard], "a shard's ids").ids);
        const { rows, dense } = await client.pull(
          {
            fence,
            step: BigInt(step),
            tables: tables.map(({ name }) => ({ table: name, ids: own })),
            dense: layout.dense[shard]?.length !== 0,
          },
          call,
        );
        return { rows: rows.map(float32Of), dense: float32Of(dense) };
      });
      return layout.assemble(parts, answers);
    },
    push: async (step, ids, gradients, cut) => {
      const parts = layout.split(ids);
      await each(clientsAt(step), (client, shard) => {
        const own = present(parts[shard], "a shard's ids");
        const { rows, dense } = layout.gradientsOf(shard, own.positions, gradients);
        return client.push(
          {
            fence,
            step: BigInt(step),
            tables: tables.map(({ name }, t) => ({
              table: name,
              ids: bytesOf(own.ids),
              gradients: bytesOf(present(rows[t], "a table's gradients")),
            })),
            dense: bytesOf(dense),
            cut,
          },
          call,
        );
      });
    },
  };
}

function declarationOf({ run, lag, tables }: RunDeclaration, layout: ShardLayout, shard: number) {
  return {
    run,
    shard,
    shards: layout.dense.length,
    lag,
    tables: [...tables],
    dense: (layout.dense[shard] ?? []).map(({ name, initial, rate, initialAccumulator }) => ({
      name,
      initial: bytesOf(initial),
      rate,
      initialAccumulator,
    })),
  };
}

const each = <T>(
  shards: readonly Shard[],
  call: (client: Shard, shard: number) => Promise<T>,
): Promise<T[]> => Promise.all(shards.map(call));
