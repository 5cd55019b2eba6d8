import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  ParameterServerService,
  type PullRequestSchema,
  type PullResponse,
  type PushRequestSchema,
} from "@heddle/proto/parameter-server";
import { type CallOptions, type Client, connect } from "@heddle/rpc";
import { silentTelemetry, type Telemetry } from "@heddle/telemetry";
import { bytesOf } from "@heddle/tensor";
import { optimizerMessage } from "./optimizer-message.ts";
import { tableMessage } from "./table-message.ts";
import { cutCalls } from "./cut-calls.ts";
import { openOwnUpdates } from "./own-updates.ts";
import { type Connecting, openReplacing } from "./replace-call.ts";
import { layOut, type ShardLayout } from "./shard-layout.ts";
import { closeClients, openLink, type ShardLink } from "./shard-link.ts";
import { stepCalls } from "./step-calls.ts";
import { openTraffic } from "./traffic.ts";
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
export interface StepShard {
  /** @param read takes what it wants of the answer, whose bytes may be gone after that. */
  pull(
    request: MessageInitShape<typeof PullRequestSchema>,
    call: CallOptions,
    read: (answer: PullResponse) => void,
  ): Promise<void>;
  push(request: MessageInitShape<typeof PushRequestSchema>, call: CallOptions): Promise<void>;
}

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
  const { addresses, telemetry, signal, stepCallMs = defaultStepCallMs } = options;
  const { learner = 0, bounds } = declaration;
  const traffic = openTraffic(telemetry);
  const layout = layOut(declaration, addresses.length);
  const fence = BigInt(declaration.fence);
  const connecting: Connecting = {
    open: (shard, address) => openClients(shard, address, options),
    configure: async ({ shard, traced }, ends) => {
      const request = { ...declarationOf(declaration, layout, shard), fence, learner };
      return Number(
        (await traced.configure(request, { timeoutMs: shardCallMs, signal: ends })).step,
      );
    },
    routeOf,
  };
  await using stack = new AsyncDisposableStack();
  const all = addresses.map((address, shard) => connecting.open(shard, address));
  for (const clients of all) stack.defer(() => closeClients(clients));
  const configured = await each(all, (clients) => connecting.configure(clients, signal));
  const links: ShardLink[] = [];
  for (const clients of all) {
    const first = { number: 0, clients, route: await routeOf(clients) };
    const { shard } = clients;
    const isReplaceable = bounds !== undefined;
    const link = { shard, isReplaceable, replaceMs: shardCallMs, signal };
    links.push(stack.use(openLink(link, first)));
  }
  const shards = links.map((link) => ({ link, ...(bounds && { updates: openOwnUpdates() }) }));
  const cuts = cutCalls(fence, links, shardCallMs, traffic);
  const { freeze, snapshot, usage, restore } = cuts;
  const rejoining = { ...{ fence, learner, learners: declaration.learners ?? 1 }, shards, cuts };
  const replacing = stack.use(openReplacing(rejoining, connecting, shardCallMs, signal));
  const opened = stack.move();
  return {
    // A cut is the same step on all of them.
    ...(learner > 0 && { restored: configured[0] ?? 0 }),
    ...stepCalls(declaration, layout, stepCallMs, shards, traffic),
    ...{ freeze, snapshot, usage, restore, moved: traffic.moved },
    ...(bounds && { replace: replacing.replace }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function openClients(
  shard: number,
  address: string,
  { actor, telemetry }: ShardWireOptions,
): ShardClients {
  const open = (calls: Telemetry): Shard =>
    connect(ParameterServerService, address, { telemetry: calls, actor });
  return { shard, address, traced: open(telemetry), quiet: open(silentTelemetry()) };
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

const each = <S, T>(
  shards: readonly S[],
  call: (shard: S, number: number) => Promise<T>,
): Promise<T[]> => Promise.all(shards.map(call));
