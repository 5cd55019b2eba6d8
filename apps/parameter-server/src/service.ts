import type { Offer } from "@heddle/lane";
import {
  type ConfigureRequest,
  type OpenLaneRequest,
  ParameterServerService,
  type PullRequest,
  type PushRequest,
} from "@heddle/proto/parameter-server";
import { type CallContext, implement, type Implementation } from "@heddle/rpc";
import type { Telemetry } from "@heddle/telemetry";
import { bigUint64Of, bytesOf, float32Of } from "@heddle/tensor";
import { cutHandlers } from "./cuts.ts";
import { type Keeper, openKeeper } from "./keeper.ts";
import type { CutDeps } from "./save-cut.ts";
import type { StepOrder, Turn } from "./step-order.ts";

/** CPU and memory of this process. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

export interface ShardServiceDeps extends CutDeps {
  readonly telemetry: Telemetry;
  readonly usage: () => Usage;
  /** Rows a table of this shard may hold: its bound on memory. */
  readonly tableRowsMax: number;
  /**
   * Offers a lane to whoever asked.
   *
   * @throws {HeddleError} FAILED_PRECONDITION LANE_NOT_OFFERED; as `Offers.offer`.
   */
  readonly offerLane: (actor: string) => Promise<Offer>;
}

/** Handlers of one shard. */
export function shardService(deps: ShardServiceDeps): Implementation {
  const { telemetry, usage, offerLane } = deps;
  const keeper = openKeeper(deps.tableRowsMax);

  const configure = async (request: ConfigureRequest) => {
    const { order } = keeper.configure(request);
    const { run, shard, fence } = request;
    telemetry.log.info({ run, shard, fence: Number(fence) }, "shard configured");
    return { step: BigInt(order.applied) };
  };

  const pull = async (
    { fence, step: wanted, tables, dense }: PullRequest,
    { signal, room }: CallContext,
  ) => {
    const step = Number(wanted);
    const ask = (order: StepOrder): Turn => order.pullTurn(step);
    const { run } = await keeper.turn({ fence, what: `pull for step ${step}`, ask }, signal);
    const answer = {
      rows: tables.map(({ table, ids }) => bytesOf(run.shard.pull(table, bigUint64Of(ids), room))),
      dense: dense ? bytesOf(run.shard.pullDense(room)) : new Uint8Array(),
      step: BigInt(run.order.applied),
    };
    run.order.served(step);
    keeper.changed();
    return answer;
  };

  const push = async (
    { fence, step: given, tables, dense, cut }: PushRequest,
    { signal }: CallContext,
  ) => {
    const step = Number(given);
    const ask = (order: StepOrder): Turn => order.pushTurn(step, cut);
    const { run, turn } = await keeper.turn({ fence, what: `push of step ${step}`, ask }, signal);
    if (turn === "now") {
      run.shard.push(tables.map(gradientsOf), float32Of(dense), step);
      run.order.pushed(step, cut);
      keeper.changed();
    }
    return { step: BigInt(run.order.applied) };
  };

  const openLane = async ({ fence }: OpenLaneRequest, { actor }: CallContext) => {
    keeper.run(fence);
    return offerLane(actor);
  };

  const stats = async () => statsOf(keeper, usage());

  const step = { configure, pull, push, ...cutHandlers(deps, keeper) };
  return implement(ParameterServerService, { ...step, openLane, stats });
}

function statsOf({ kept }: Keeper, { cpuSeconds, peakMemoryBytes }: Usage) {
  return {
    rows: BigInt(kept?.shard.rows ?? 0),
    tableBytes: BigInt(kept?.shard.bytes ?? 0),
    step: BigInt(kept?.order.applied ?? 0),
    cpuSeconds,
    peakMemoryBytes: BigInt(peakMemoryBytes),
  };
}

const gradientsOf = ({ table, ids, gradients }: PushRequest["tables"][number]) => ({
  table,
  ids: bigUint64Of(ids),
  gradients: float32Of(gradients),
});
