import { present } from "@heddle/base";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ObjectInfo } from "@heddle/objects";
import {
  ParameterServerService,
  type PullRequestSchema,
  type PullResponse,
  type PushRequestSchema,
  type StatsResponse,
} from "@heddle/proto/parameter-server";
import { type CallOptions, type Client, connect } from "@heddle/rpc";
import { silentTelemetry, type Telemetry } from "@heddle/telemetry";
import { bytesOf } from "@heddle/tensor";
import { optimizerMessage } from "./optimizer-message.ts";
import { tableMessage } from "./table-message.ts";
import { badAnswer, layOut, type ShardLayout } from "./shard-layout.ts";
import { stepCalls } from "./step-calls.ts";
import { openTraffic, type Traffic } from "./traffic.ts";
import type { Overlap, RunDeclaration, Wire } from "./wire.ts";

export interface WireOptions {
  /** The learner's job id. */
  readonly actor: string;
  readonly telemetry: Telemetry;
  /** Every n-th step's pull and push is a span; the others leave none. */
  readonly traceEverySteps: number;
  /** How long a call of a step may take: longest a push that waits for a pull, and so for a step's computation. */
  readonly stepCallMs?: number;
  /** Whether a list of ids is named, so that a shard hears it once; true when absent. It costs a hash, and is for wires that carry bytes. */
  readonly idsByName?: boolean;
  /** Ends all calls. */
  readonly signal: AbortSignal;
}

/** What a wire to shards in other processes needs. */
export interface ShardWireOptions extends WireOptions {
  /** `host:port` of each shard, in order of their numbers. */
  readonly addresses: readonly string[];
}

/** A shard, however its calls reach it. */
export type Shard = Client<typeof ParameterServerService>;
/** What carries a step's calls. */
export interface StepShard {
  /** @param read takes what it wants of the answer, whose bytes may be gone after that. */
  pull(
    request: MessageInitShape<typeof PullRequestSchema>,
    call: CallOptions,
    read: (answer: PullResponse) => void,
  ): Promise<void>;
  push(request: MessageInitShape<typeof PushRequestSchema>, call: CallOptions): Promise<void>;
}

/** Both ways to a shard. */
export interface ShardClients {
  /** Number of the shard. */
  readonly shard: number;
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

/** Shards in other processes, over gRPC. */
export function connectShards({ addresses, actor, telemetry }: ShardWireOptions): ShardClients[] {
  const open = (address: string, calls: Telemetry): Shard =>
    connect(ParameterServerService, address, { telemetry: calls, actor });
  return addresses.map((address, shard) => {
    const [traced, quiet] = [open(address, telemetry), open(address, silentTelemetry())];
    return { shard, traced, quiet };
  });
}

/**
 * Configures each shard with its part of the run. All calls go by the clients, but for those of steps. Closing the wire closes them.
 *
 * @param routeOf is asked for each shard after it was configured.
 */
export async function openShardWire(
  declaration: RunDeclaration,
  shards: readonly ShardClients[],
  options: WireOptions,
  routeOf: (clients: ShardClients) => Promise<Route>,
): Promise<Wire> {
  const { telemetry, signal, stepCallMs = defaultStepCallMs } = options;
  const routes: Route[] = [];
  const close = async (): Promise<void> => {
    for (const route of routes) await route[Symbol.asyncDispose]();
    for (const { traced, quiet } of shards) {
      await traced[Symbol.asyncDispose]();
      await quiet[Symbol.asyncDispose]();
    }
  };
  try {
    const traffic = openTraffic(telemetry);
    const layout = layOut(declaration, shards.length, options.idsByName);
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
      ...stepCalls(declaration, layout, { timeoutMs: stepCallMs, signal }, routes, traffic),
      ...cutCalls(fence, shards, call, traffic),
      moved: traffic.moved,
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
  traffic: Traffic,
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
        const { name, sha256 } = object;
        const bytes = Number(object.bytes);
        traffic.add("saved", bytes);
        return { file: { name, bytes, sha256 }, rows: Number(rows) };
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
      const sum = (of: (shard: StatsResponse) => bigint): number =>
        stats.reduce((total, shard) => total + Number(of(shard)), 0);
      const rows = {
        refused: sum(({ rowsRefused }) => rowsRefused),
        expired: sum(({ rowsExpired }) => rowsExpired),
        counted: sum(({ idsCounted }) => idsCounted),
      };
      return { step: Number(step), cpuSeconds, lossSum, rows, ...(overlap && { overlap }) };
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
