import { type Clock, systemClock } from "@heddle/base";
import type { Offer } from "@heddle/lane";
import {
  type ConfigureRequest,
  type OpenLaneRequest,
  ParameterServerService,
  type RejoinRequest,
  type StatsRequest,
} from "@heddle/proto/parameter-server";
import { type CallContext, implement, type Implementation } from "@heddle/rpc";
import type { Telemetry } from "@heddle/telemetry";
import type { CallTurn, Course } from "./course/course.ts";
import { cutHandlers } from "./cuts/cuts.ts";
import { openKeyLists } from "./rows/key-lists.ts";
import { type Keeper, openKeeper } from "./run/keeper.ts";
import type { CutDeps } from "./cuts/save-cut.ts";
import { stepCalls } from "./step-calls.ts";
import type { ShardTurnover } from "./turnover.ts";
import type { Overlap } from "./course/update-order.ts";

/** CPU and memory of this process. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

export interface ShardServiceDeps extends CutDeps {
  readonly telemetry: Telemetry;
  readonly usage: () => Usage;
  /** The system's when absent. */
  readonly clock?: Clock;
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
  const keeper = openToldKeeper(deps);
  const keyLists = openKeyLists();

  const configure = async (request: ConfigureRequest, { signal }: CallContext) => {
    const leads = request.learner === 0;
    const kept = leads ? keeper.configure(request) : await keeper.join(request, signal);
    const { run, shard, fence, learner } = request;
    telemetry.log.info({ run, shard, fence: Number(fence), learner }, "shard configured");
    return { step: BigInt(leads ? kept.course.applied : kept.start) };
  };

  const rejoin = async (request: RejoinRequest, { signal }: CallContext) => {
    const { fence, life, learner, learners, lossSum, learnerCpuSeconds } = request;
    const counts = { begun: Number(request.begun), copied: Number(request.copied) };
    const open = request.open.map(Number);
    const told = { learner, learners, open, ...counts, lossSum, learnerCpuSeconds };
    const { course, lostUpdates } = await keeper.rejoin(fence, life, told, signal);
    return { step: BigInt(course.applied), lostUpdates: BigInt(lostUpdates) };
  };

  const openLane = async ({ fence }: OpenLaneRequest, { actor }: CallContext) => {
    keeper.run(fence);
    return offerLane(actor);
  };

  const stats = async ({ step }: StatsRequest, { signal }: CallContext) => {
    const { kept } = keeper;
    if (step > 0n && kept !== undefined) {
      const { fence } = keeper;
      const ask = ({ applied }: Course): CallTurn => (applied >= Number(step) ? "now" : "wait");
      await keeper.turn({ fence, what: `stats at step ${step}`, ask }, signal);
    }
    return statsOf(keeper, usage());
  };

  const calls = { configure, ...stepCalls(keeper, keyLists), ...cutHandlers(deps, keeper) };
  return implement(ParameterServerService, { ...calls, rejoin, openLane, stats });
}

/** A keeper that meters hear of. */
function openToldKeeper({
  telemetry,
  tableRowsMax,
  clock = systemClock,
  life = 0,
}: ShardServiceDeps): Keeper {
  const staleness = telemetry.histogram(
    "heddle.parameter_server.staleness",
    "{push}",
    "pushes applied between an update's pull and its push, in bounded mode",
  );
  const onStaleness = (pushes: number): void => staleness.record(pushes);
  const keeper = openKeeper({ tableRowsMax, clock, life, onStaleness });
  telemetry.gauge(
    "heddle.parameter_server.updates_in_flight",
    "{update}",
    "updates that have pulled and not pushed yet, in bounded mode",
    () => keeper.kept?.course.overlap?.inFlight ?? 0,
  );
  return keeper;
}

function statsOf({ kept }: Keeper, { cpuSeconds, peakMemoryBytes }: Usage) {
  return {
    rows: BigInt(kept?.shard.rows ?? 0),
    tableBytes: BigInt(kept?.shard.bytes ?? 0),
    step: BigInt(kept?.course.applied ?? 0),
    cpuSeconds,
    peakMemoryBytes: BigInt(peakMemoryBytes),
    lossSum: kept?.totals.lossSum ?? 0,
    learnerCpuSeconds: kept?.totals.learnerCpuSeconds ?? 0,
    ...turnoverOf(kept?.shard.turnover),
    ...overlapOf(kept?.course.overlap),
  };
}

function turnoverOf({ refused, expired, counted }: ShardTurnover = noTurnover) {
  return {
    rowsRefused: BigInt(refused),
    rowsExpired: BigInt(expired),
    idsCounted: BigInt(counted),
  };
}

const noTurnover: ShardTurnover = { refused: 0, expired: 0, counted: 0 };

function overlapOf(overlap: Overlap | undefined) {
  if (overlap === undefined) return {};
  const { pushes, refused, ...updates } = overlap;
  return { overlap: { ...updates, pushes: pushes.map(BigInt), refused: BigInt(refused) } };
}
