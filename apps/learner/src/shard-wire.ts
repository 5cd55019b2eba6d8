import { present } from "@heddle/base";
import type { ObjectInfo } from "@heddle/objects";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import { type CallOptions, type Client, connect } from "@heddle/rpc";
import { silentTelemetry, type Telemetry } from "@heddle/telemetry";
import { bytesOf, float32Of } from "@heddle/tensor";
import { optimizerMessage } from "./optimizer-message.ts";
import { tableMessage } from "./table-message.ts";
import { badAnswer, layOut, type ShardLayout } from "./shard-layout.ts";
import type { Overlap, RunDeclaration, Wire } from "./wire.ts";

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
    const configured = await each(shards, ({ traced }, shard) =>
      traced.configure({ ...declarationOf(declaration, layout, shard), fence, learner }, call),
    );
    for (const shard of shards) routes.push(await routeOf(shard));
    // A cut is the same step on all of them.
    const restored = Number(configured[0]?.step ?? 0n);
    return {
      ...(learner > 0 && { restored }),
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
): Pick<Wire, "restore" | "freeze" | "snapshot" | "usage"> {
  return {
    restore: async (step, layers, lossSum = 0) => {
      const [objects = [], ...increments] = layers.map(({ files }) => files.map(refOf));
      const request = {
        ...{ fence, step: BigInt(step), objects, lossSum },
        increments: increments.map((of) => ({ objects: of })),
      };
      await each(shards, ({ traced }) => traced.restore(request, call));
    },
    freeze: async (step, since) => {
      const from = since === undefined ? {} : { sinceStep: BigInt(since) };
      const request = { fence, step: BigInt(step), ...from };
      await each(shards, ({ traced }) => traced.freeze(request, call));
    },
    snapshot: async (step, objectPrefix) => {
      const saved = await each(shards, async ({ traced }, shard) => {
        const request = { fence, step: BigInt(step), objectPrefix };
        const { object, rows } = await traced.snapshot(request, call);
        if (object === undefined) throw badAnswer(shard, "a snapshot without its file");
        const { name, bytes, sha256 } = object;
        return { file: { name, bytes: Number(bytes), sha256 }, rows: Number(rows) };
      });
      return {
        files: saved.map(({ file }) => file),
        rows: saved.reduce((sum, { rows }) => sum + rows, 0),
      };
    },
    usage: async (at = 0) => {
      const request = { step: BigInt(at) };
      const stats = await each(shards, ({ traced }) => traced.stats(request, call));
      // Every shard hears of every push: one knows what learners told.
      const { step, lossSum, learnerCpuSeconds } = present(stats[0], "a shard's figures");
      const cpuSeconds = stats.reduce((sum, shard) => sum + shard.cpuSeconds, learnerCpuSeconds);
      const overlap = overlapOf(stats.flatMap((shard) => shard.overlap ?? []));
      return { step: Number(step), cpuSeconds, lossSum, ...(overlap && { overlap }) };
    },
  };
}

/** One for all shards; undefined in exact mode. */
function overlapOf(
  shards: readonly { pushes: bigint[]; inFlightMax: number; refused: bigint }[],
): Overlap | undefined {
  const [first] = shards;
  if (first === undefined) return undefined;
  const sum = (of: (shard: (typeof shards)[number]) => bigint | undefined): number =>
    shards.reduce((total, shard) => total + Number(of(shard) ?? 0n), 0);
  return {
    pushes: first.pushes.map((_, staleness) => sum(({ pushes }) => pushes[staleness])),
    inFlightMax: Math.max(...shards.map(({ inFlightMax }) => inFlightMax)),
    refused: sum(({ refused }) => refused),
  };
}

/** Pull and push, split over the shards and put together again. */
function stepCalls(
  { fence: token, tables, bounds }: RunDeclaration,
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
        const {
          rows,
          dense,
          step: state,
        } = await route.at(step).pull(
          {
            fence,
            step: BigInt(step),
            tables: tables.map(({ name }) => ({ table: name, ids: own })),
            dense: layout.dense[shard]?.length !== 0,
            microBatch,
          },
          call,
        );
        return { rows: rows.map(float32Of), dense: float32Of(dense), state: Number(state) };
      });
      const pulled = layout.assemble(parts, answers);
      return bounds === undefined ? pulled : { ...pulled, states: answers.map((a) => a.state) };
    },
    push: async (step, ids, gradients, cut, notes = {}) => {
      const { microBatch = 0, lossSum = 0, learnerCpuSeconds = 0, states = [] } = notes;
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
            oldestState: BigInt(states[shard] ?? 0),
          },
          call,
        );
      });
    },
  };
}

function declarationOf(
  { run, lag, microBatches = 1, bounds, tables }: RunDeclaration,
  layout: ShardLayout,
  shard: number,
) {
  return {
    run,
    shard,
    shards: layout.dense.length,
    ...{ lag, microBatches },
    ...(bounds && { bounds: { ...bounds } }),
    tables: tables.map(tableMessage),
    dense: (layout.dense[shard] ?? []).map(({ name, initial, optimizer }) => ({
      name,
      initial: bytesOf(initial),
      optimizer: optimizerMessage(optimizer),
    })),
  };
}

const refOf = ({ name, bytes, sha256 }: ObjectInfo) => ({ name, bytes: BigInt(bytes), sha256 });

const each = <S, T>(
  shards: readonly S[],
  call: (shard: S, number: number) => Promise<T>,
): Promise<T[]> => Promise.all(shards.map(call));
