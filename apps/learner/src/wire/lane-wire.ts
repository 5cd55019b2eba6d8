import { isHeddleError, messageOf } from "@heddle/base";
import { connectLane, type Lane, type LaneCallOptions } from "@heddle/lane";
import { ParameterServerService } from "@heddle/proto/parameter-server";
import type { CallOptions } from "@heddle/rpc";
import type { Telemetry } from "@heddle/telemetry";
import { grpcRoute } from "./grpc-wire.ts";
import {
  connectShards,
  openShardWire,
  type ShardWireOptions,
  type WireOptions,
} from "./shard-wire.ts";
import type { RunDeclaration, Wire } from "./wire.ts";
import type { Route, ShardClients, StepShard } from "./shard/route.ts";

const { pull, push } = ParameterServerService.method;
/** To ask for a lane and take it. */
const openMs = 10_000;

/** The wire that costs least: steps' calls by lane to each shard that has one, all others by gRPC. */
export function openLaneWire(
  declaration: RunDeclaration,
  options: ShardWireOptions,
): Promise<Wire> {
  const fence = BigInt(declaration.fence);
  const { telemetry, signal } = options;
  return openShardWire(declaration, connectShards(options), options, async (clients) => {
    const { shard, traced } = clients;
    const byGrpc = grpcRoute(clients, options);
    try {
      const offer = await traced.openLane({ fence }, { timeoutMs: openMs, signal });
      const lane = await connectLane(offer, { handshakeMs: openMs, signal });
      telemetry.log.info({ shard, lane: offer.address }, "lane opened");
      return laneRoute(lane, byGrpc, clients, options);
    } catch (error) {
      // Whatever it is, gRPC still goes; if not, its first call says why.
      signal.throwIfAborted();
      telemetry.log.warn({ shard, error: messageOf(error) }, "no lane, steps go by grpc");
      return byGrpc;
    }
  });
}

function laneRoute(
  lane: Lane,
  byGrpc: Route,
  { shard }: ShardClients,
  { telemetry, traceEverySteps }: WireOptions,
): Route {
  let gone = false;
  /** A call that a lost lane left unanswered is repeated: the shard answers, or is reported as any shard is that is gone. */
  const orByGrpc = async <T>(byLane: () => Promise<T>, otherwise: () => Promise<T>): Promise<T> => {
    if (gone) return otherwise();
    try {
      return await byLane();
    } catch (error) {
      if (!isHeddleError(error, "LANE_LOST")) throw error;
      if (!gone) telemetry.log.warn({ shard, error: error.message }, "lane lost, steps go by grpc");
      gone = true;
      return otherwise();
    }
  };
  return {
    at: (step) => {
      const other = byGrpc.at(step);
      const tracing = step % traceEverySteps === 0 ? telemetry : undefined;
      return {
        pull: (request, call, read) =>
          orByGrpc(
            () =>
              traced(tracing, "Pull", call, (options) =>
                lane.callReading(pull, request, options, read),
              ),
            () => other.pull(request, call, read),
          ),
        push: (request, call) =>
          orByGrpc(
            () =>
              traced(tracing, "Push", call, (options) =>
                lane.callReading(push, request, options, ({ step: state }) => state),
              ),
            () => other.push(request, call),
          ),
      } satisfies StepShard;
    },
    [Symbol.asyncDispose]: () => lane[Symbol.asyncDispose](),
  };
}

/** In a span that the shard's own goes on from, or without one. */
function traced<T>(
  telemetry: Telemetry | undefined,
  method: string,
  call: CallOptions,
  run: (options: LaneCallOptions) => Promise<T>,
): Promise<T> {
  if (telemetry === undefined) return run(call);
  const name = `${ParameterServerService.typeName}/${method}`;
  const attributes = { "rpc.system": "heddle-lane", "rpc.method": name };
  return telemetry.span(name, { kind: "client", attributes }, () => {
    const traceparent = telemetry.traceparent();
    return run({ ...call, ...(traceparent === undefined ? {} : { traceparent }) });
  });
}
