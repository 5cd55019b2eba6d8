import { decodeParameters, encodeParameters } from "@heddle/artifact";
import type { Offer } from "@heddle/lane";
import type { Objects } from "@heddle/objects";
import {
  type ConfigureRequest,
  type OpenLaneRequest,
  ParameterServerService,
  type PullRequest,
  type PushRequest,
  type RestoreRequest,
  type SnapshotRequest,
} from "@heddle/proto/parameter-server";
import { type CallContext, implement, type Implementation } from "@heddle/rpc";
import type { Telemetry } from "@heddle/telemetry";
import { bigUint64Of, bytesOf, float32Of } from "@heddle/tensor";
import { type Keeper, openKeeper, stepOrder } from "./keeper.ts";
import type { StepOrder, Turn } from "./step-order.ts";
import type { StepPart } from "./step-part.ts";

/** CPU and memory of this process. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

export interface ShardServiceDeps {
  readonly objects: Objects;
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
  const { objects, telemetry, usage, offerLane } = deps;
  const keeper = openKeeper(deps.tableRowsMax);

  const configure = async (request: ConfigureRequest, { signal }: CallContext) => {
    const leads = request.learner === 0;
    const { order } = leads ? keeper.configure(request) : await keeper.join(request, signal);
    const { run, shard, fence, learner } = request;
    telemetry.log.info({ run, shard, fence: Number(fence), learner }, "shard configured");
    return { step: BigInt(order.applied) };
  };

  const pull = async (
    { fence, step: wanted, tables, dense, microBatch }: PullRequest,
    { signal, room }: CallContext,
  ) => {
    const step = Number(wanted);
    const ask = (order: StepOrder): Turn => order.pullTurn(step);
    const what = `pull for step ${step}`;
    const { run } = await keeper.turn({ fence, what, microBatch, ask }, signal);
    const answer = {
      rows: tables.map(({ table, ids }) => bytesOf(run.shard.pull(table, bigUint64Of(ids), room))),
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
    if (turn === "now") await run.push(step, partOf(request), cut, signal);
    return { step: BigInt(run.order.applied) };
  };

  const snapshot = async ({ fence, step, objectPrefix }: SnapshotRequest) => {
    const { shard, order, request } = keeper.run(fence);
    if (BigInt(order.applied) !== step) throw stepOrder(`snapshot at step ${step}`, order.applied);
    const bytes = encodeParameters(shard.state());
    const name = `${objectPrefix}/shard-${request.shard}-of-${request.shards}.tensors`;
    return { object: objectRef(await objects.put(name, bytes)) };
  };

  const restore = async ({ fence, step, objects: parts, lossSum }: RestoreRequest) => {
    keeper.run(fence);
    const files: Uint8Array[] = [];
    for (const { name, sha256 } of parts) files.push(await objects.get(name, sha256));
    // Reading took a while: a newer attempt may have taken over.
    const { shard, held, returnTo } = keeper.run(fence);
    held.refuseAll(stepOrder("a push from before a return", Number(step)));
    if (files.length === 0) shard.reset();
    else shard.restore(files.map(decodeParameters));
    returnTo(Number(step), lossSum);
    keeper.open();
    return { rows: BigInt(shard.rows) };
  };

  const openLane = async ({ fence }: OpenLaneRequest, { actor }: CallContext) => {
    keeper.run(fence);
    return offerLane(actor);
  };

  const stats = async () => statsOf(keeper, usage());

  const step = { configure, pull, push, snapshot, restore };
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

const partOf = ({ microBatch, tables, dense, ...told }: PushRequest): StepPart => ({
  microBatch,
  tables: tables.map(gradientsOf),
  dense: float32Of(dense),
  lossSum: told.lossSum,
  learnerCpuSeconds: told.learnerCpuSeconds,
});

const gradientsOf = ({ table, ids, gradients }: PushRequest["tables"][number]) => ({
  table,
  ids: bigUint64Of(ids),
  gradients: float32Of(gradients),
});

const objectRef = (info: { name: string; bytes: number; sha256: string }) => ({
  name: info.name,
  bytes: BigInt(info.bytes),
  sha256: info.sha256,
});
