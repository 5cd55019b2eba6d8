import { present } from "@heddle/base";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import { type CallOptions, type Client, connect } from "@heddle/rpc";
import { silentTelemetry, type Telemetry } from "@heddle/telemetry";
import { bytesOf, float32Of } from "@heddle/tensor";
import { optimizerMessage } from "./optimizer-message.ts";
import { tableMessage } from "./table-message.ts";
import { badAnswer, layOut, type ShardLayout } from "./shard-layout.ts";
import type { RunDeclaration, Wire } from "./wire.ts";

export interface ShardWireOptions {
  /** `host:port` of each shard, in order of their numbers. */
  readonly addresses: readonly string[];
  /** The learner's job id. */
  readonly actor: string;
  readonly telemetry: Telemetry;
  /** Every n-th step's pull and push is a span; the others leave none. */
  readonly traceEverySteps: number;
  /** How long a call of a step may take: longest a push that waits for a pull, and so for a step's computation. */
  readonly stepCallMs?: number;
  /** Ends all calls. */
  readonly signal: AbortSignal;
}

/** A shard over gRPC. */
export type Shard = Client<typeof ParameterServerService>;
/** What carries a step's calls. */
export type StepShard = Pick<Shard, "pull" | "push">;

/** Both ways to a shard over gRPC. */
export interface ShardClients {
  /** Number of the shard. */
  readonly shard: number;
  readonly address: string;
  /** Each call leaves a span, or none does. */
  readonly traced: Shard;
  readonly quiet: Shard;
}

/** How the calls of a shard's steps travel. */
export interface Route extends AsyncDisposable {
  at(step: number): StepShard;
}

const defaultStepCallMs = 60_000;
/** For calls that move a whole shard. */
const shardCallMs = 300_000;

/**
 * Connects to the shards and configures each with its part of the run. All calls go by gRPC, but for those of steps.
 *
 * @param routeOf is asked for each shard after it was configured.
 */
export async function openShardWire(
  declaration: RunDeclaration,
  options: ShardWireOptions,
  routeOf: (clients: ShardClients) => Promise<Route>,
): Promise<Wire> {
  const { addresses, actor, telemetry, signal, stepCallMs = defaultStepCallMs } = options;
  const open = (address: string, calls: Telemetry): Shard =>
    connect(ParameterServerService, address, { telemetry: calls, actor });
  const shards = addresses.map((address, shard) => {
    const [traced, quiet] = [open(address, telemetry), open(address, silentTelemetry())];
    return { shard, address, traced, quiet };
  });
  const routes: Route[] = [];
  const close = async (): Promise<void> => {
    for (const route of routes) await route[Symbol.asyncDispose]();
    for (const { traced, quiet } of shards) {
      await traced[Symbol.asyncDispose]();
      await quiet[Symbol.asyncDispose]();
    }
  };
  try {
    const layout = layOut(declaration, addresses.length);
    const fence = BigInt(declaration.fence);
    const call = { timeoutMs: shardCallMs, signal };
    const { learner = 0 } = declaration;
    await each(shards, ({ traced }, shard) =>
      traced.configure({ ...declarationOf(declaration, layout, shard), fence, learner }, call),
    );
    for (const shard of shards) routes.push(await routeOf(shard));
    return {
      ...stepCalls(declaration, layout, { timeoutMs: stepCallMs, signal }, routes),
      ...cutCalls(fence, shards, call),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Calls at cuts. */
function cutCalls(
  fence: bigint,
  shards: readonly ShardClients[],
  call: CallOptions,
): Pick<Wire, "restore" | "snapshot" | "usage"> {
  return {
    restore: async (step, files, lossSum = 0) => {
      const objects = files.map((file) => ({ ...file, bytes: BigInt(file.bytes) }));
      await each(shards, ({ traced }) =>
        traced.restore({ fence, step: BigInt(step), objects, lossSum }, call),
      );
    },
    snapshot: async (step, objectPrefix) =>
      each(shards, async ({ traced }, shard) => {
        const request = { fence, step: BigInt(step), objectPrefix };
        const { object } = await traced.snapshot(request, call);
        if (object === undefined) throw badAnswer(shard, "a snapshot without its file");
        return { name: object.name, bytes: Number(object.bytes), sha256: object.sha256 };
      }),
    usage: async () => {
      const stats = await each(shards, ({ traced }) => traced.stats({}, call));
      // Every shard hears of every push: one knows what learners told.
      const { step, lossSum, learnerCpuSeconds } = present(stats[0], "a shard's figures");
      const cpuSeconds = stats.reduce((sum, shard) => sum + shard.cpuSeconds, learnerCpuSeconds);
      return { step: Number(step), cpuSeconds, lossSum };
    },
  };
}

/** Pull and push, split over the shards and put together again. */
function stepCalls(
  { fence: token, tables }: RunDeclaration,
  layout: ShardLayout,
  call: CallOptions,
  routes: readonly Route[],
): Pick<Wire, "pull" | "push"> {
  const fence = BigInt(token);
  return {
    pull: async (step, ids, microBatch = 0) => {
      const parts = layout.split(ids);
      const answers = await each(routes, async (route, shard) => {
        const own = bytesOf(present(parts[shard], "a shard's ids").ids);
        const { rows, dense } = await route.at(step).pull(
          {
            fence,
            step: BigInt(step),
            tables: tables.map(({ name }) => ({ table: name, ids: own })),
            dense: layout.dense[shard]?.length !== 0,
            microBatch,
          },
          call,
        );
        return { rows: rows.map(float32Of), dense: float32Of(dense) };
      });
      return layout.assemble(parts, answers);
    },
    push: async (step, ids, gradients, cut, notes = {}) => {
      const { microBatch = 0, lossSum = 0, learnerCpuSeconds = 0 } = notes;
      const parts = layout.split(ids);
      await each(routes, (route, shard) => {
        const own = present(parts[shard], "a shard's ids");
        const { rows, dense } = layout.gradientsOf(shard, own.positions, gradients);
        return route.at(step).push(
          {
            fence,
            step: BigInt(step),
            tables: tables.map(({ name }, t) => ({
              table: name,
              ids: bytesOf(own.ids),
              gradients: bytesOf(present(rows[t], "a table's gradients")),
            })),
            dense: bytesOf(dense),
            ...{ cut, microBatch, lossSum, learnerCpuSeconds },
          },
          call,
        );
      });
    },
  };
}

function declarationOf(
  { run, lag, microBatches = 1, tables }: RunDeclaration,
  layout: ShardLayout,
  shard: number,
) {
  return {
    run,
    shard,
    shards: layout.dense.length,
    ...{ lag, microBatches },
    tables: tables.map(tableMessage),
    dense: (layout.dense[shard] ?? []).map(({ name, initial, optimizer }) => ({
      name,
      initial: bytesOf(initial),
      optimizer: optimizerMessage(optimizer),
    })),
  };
}

const each = <S, T>(
  shards: readonly S[],
  call: (shard: S, number: number) => Promise<T>,
): Promise<T[]> => Promise.all(shards.map(call));
