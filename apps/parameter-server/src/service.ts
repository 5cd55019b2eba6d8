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
import { bytesOf } from "@heddle/tensor";
import { cutHandlers } from "./cuts.ts";
import { openKeyLists } from "./key-lists.ts";
import { type Keeper, openKeeper } from "./keeper.ts";
import type { CutDeps } from "./save-cut.ts";
import { pulledRows, pushedPart } from "./step-rows.ts";
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
  const keyLists = openKeyLists();

  const configure = async (request: ConfigureRequest, { signal }: CallContext) => {
    const leads = request.learner === 0;
    const { order } = leads ? keeper.configure(request) : await keeper.join(request, signal);
    const { run, shard, fence, learner } = request;
    telemetry.log.info({ run, shard, fence: Number(fence), learner }, "shard configured");
    return { step: BigInt(order.applied) };
  };

  const pull = async (request: PullRequest, { signal, room }: CallContext) => {
    const { fence, dense, microBatch } = request;
    const step = Number(request.step);
    const ask = (order: StepOrder): Turn => order.pullTurn(step);
    const what = `pull for step ${step}`;
    const { run } = await keeper.turn({ fence, what, microBatch, ask }, signal);
    const answer = {
      rows: pulledRows(request, run.shard, keyLists, room),
      dense: dense ? bytesOf(run.shard.pullDense(room)) : new Uint8Array(),
      step: BigInt(run.order.applied),
    };
    run.order.served(step, microBatch);
    run.advance();
    return answer;
  };

  const push = async (request: PushRequest, { signal }: CallContext) => {
    const { fence, cut, microBatch } = request;
    const step = Number(request.step);
    const ask = (order: StepOrder): Turn => order.pushTurn(step, cut);
    const what = `push of step ${step}`;
    const { run, turn } = await keeper.turn({ fence, what, microBatch, ask }, signal);
    if (turn === "now") await run.push(step, pushedPart(request, keyLists), cut, signal);
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
    lossSum: kept?.totals.lossSum ?? 0,
    learnerCpuSeconds: kept?.totals.learnerCpuSeconds ?? 0,
  };
}
