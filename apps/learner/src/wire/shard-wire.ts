import { ParameterServerService } from "@heddle/proto/parameter-server";
import { connect } from "@heddle/rpc";
import { silentTelemetry, type Telemetry } from "@heddle/telemetry";
import { bytesOf } from "@heddle/tensor";
import { optimizerMessage } from "./shard/optimizer-message.ts";
import { tableMessage } from "./shard/table-message.ts";
import { cutCalls } from "./calls/cut-calls.ts";
import { openOwnUpdates } from "./calls/own-updates.ts";
import { type Connecting, openReplacing } from "./calls/replace-call.ts";
import { layOut, type ShardLayout } from "./shard/shard-layout.ts";
import { closeClients, openLink, type ShardLink } from "./shard/shard-link.ts";
import { stepCalls } from "./calls/step-calls.ts";
import { openTraffic } from "./traffic.ts";
import type { Bounds, RunDeclaration, Wire } from "./wire.ts";
import type { Shard, ShardClients, Route } from "./shard/route.ts";

export interface WireOptions {
  /** The learner's job id. */
  readonly actor: string;
  readonly telemetry: Telemetry;
  /** Every n-th step's pull and push is a span; the others leave none. */
  readonly traceEverySteps: number;
  /** How long a call of a step may take: longest a push that waits for a pull, and so for a step's computation. */
  readonly stepCallMs?: number;
  /**
   * Calls stay in this process and are over when they return; false when absent. Then nothing carries bytes: ids and gradients are handed
   * over where they lie, and no list of ids is named to be sent once.
   */
  readonly inProcess?: boolean;
  /** Whether what is pulled lies in memory that threads share, because another one computes; false when absent. */
  readonly sharesMemory?: boolean;
  /** Ends all calls. */
  readonly signal: AbortSignal;
}

/** What a wire to shards in other processes needs. */
export interface ShardWireOptions extends WireOptions {
  /** `host:port` of each shard, in order of their numbers. */
  readonly addresses: readonly string[];
}

const defaultStepCallMs = 60_000;
/** For calls that move a whole shard. */
const shardCallMs = 300_000;
/** Longer than a lease and the start of a process. */
const noticeMs = 30_000;

/** Where the shards of a run are. */
export interface ShardPlaces {
  /** In order of their numbers; closing the wire closes them. */
  readonly first: readonly ShardClients[];
  /** Opens another process that has taken a place; absent where there can be none. */
  readonly another?: (shard: number, address: string) => ShardClients;
}

/** Shards in other processes, over gRPC. */
export function connectShards({ addresses, actor, telemetry }: ShardWireOptions): ShardPlaces {
  const open = (address: string, calls: Telemetry): Shard =>
    connect(ParameterServerService, address, { telemetry: calls, actor });
  const another = (shard: number, address: string): ShardClients => {
    const [traced, quiet] = [open(address, telemetry), open(address, silentTelemetry())];
    return { shard, traced, quiet };
  };
  return { first: addresses.map((address, shard) => another(shard, address)), another };
}

/**
 * Configures each shard with its part of the run. All calls go by the clients, but for those of steps. Closing the wire closes them.
 *
 * @param routeOf is asked for each shard after it was configured.
 */
export async function openShardWire(
  declaration: RunDeclaration,
  { first, another }: ShardPlaces,
  options: WireOptions,
  routeOf: (clients: ShardClients) => Promise<Route>,
): Promise<Wire> {
  const { telemetry, signal, stepCallMs = defaultStepCallMs } = options;
  const { learner = 0, bounds } = declaration;
  const traffic = openTraffic(telemetry);
  const layout = layOut(declaration, first.length, options.inProcess);
  const fence = BigInt(declaration.fence);
  const configure: Connecting["configure"] = async ({ shard, traced }, ends) => {
    const request = { ...declarationOf(declaration, layout, shard), fence, learner };
    const { step } = await traced.configure(request, { timeoutMs: shardCallMs, signal: ends });
    return Number(step);
  };
  await using stack = new AsyncDisposableStack();
  for (const clients of first) stack.defer(() => closeClients(clients));
  const configured = await each(first, (clients) => configure(clients, signal));
  const isReplaceable = bounds !== undefined && another !== undefined;
  const links: ShardLink[] = [];
  for (const clients of first) {
    const link = { shard: clients.shard, isReplaceable, replaceMs: shardCallMs, noticeMs, signal };
    const life = { number: 0, clients, route: await routeOf(clients) };
    links.push(stack.use(openLink(link, life)));
  }
  const shards = links.map((link) => ({ link, ...(bounds && { updates: openOwnUpdates() }) }));
  const cuts = cutCalls(fence, links, shardCallMs, traffic);
  const { inProcess = false, sharesMemory = false } = options;
  const calls = { timeoutMs: stepCallMs, traffic, sharesMemory, inProcess };
  const { forget, ...steps } = stepCalls(declaration, layout, shards, calls);
  const { freeze, snapshot, usage } = cuts;
  const restore: Wire["restore"] = async (...to) => {
    await cuts.restore(...to);
    forget();
  };
  const rejoining = { ...{ fence, learner, learners: declaration.learners ?? 1 }, shards, cuts };
  const connecting = another && { open: another, configure, routeOf };
  const replacing =
    isReplaceable && connecting && openReplacing(rejoining, connecting, shardCallMs, signal);
  if (replacing) stack.use(replacing);
  const opened = stack.move();
  return {
    // A cut is the same step on all of them.
    ...(learner > 0 && { restored: configured[0] ?? 0 }),
    ...steps,
    ...{ freeze, snapshot, usage, restore, moved: traffic.moved },
    ...(replacing && { replace: replacing.replace }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
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
    ...(bounds && { bounds: boundsMessage(bounds) }),
    tables: tables.map(tableMessage),
    dense: (layout.dense[shard] ?? []).map(({ name, initial, optimizer }) => ({
      name,
      initial: bytesOf(initial),
      optimizer: optimizerMessage(optimizer),
    })),
  };
}

/** What is the learner's own business a shard is not told. */
const boundsMessage = ({ rowAge: _, ...bounds }: Bounds) => bounds;

const each = <S, T>(
  shards: readonly S[],
  call: (shard: S, number: number) => Promise<T>,
): Promise<T[]> => Promise.all(shards.map(call));
