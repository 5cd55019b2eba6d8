import { HeddleError } from "@heddle/base";
import { type LaneKind, type Offers, openOffers } from "@heddle/lane";
import { type Implementation, type Running, serve } from "@heddle/rpc";
import { openEncoder } from "./cuts/encoder.ts";
import { shardService, type ShardServiceDeps } from "./service.ts";

/** A shard that is served. */
export interface RunningShard extends Running {
  /** The same shard, for whoever is in the same process. */
  readonly implementation: Implementation;
}

export interface ShardDeps extends Omit<ShardServiceDeps, "offerLane" | "encoder"> {
  /** How lanes are offered; `none` leaves all calls to gRPC. */
  readonly lane: LaneKind | "none";
}

/** Serves one empty shard on a free port; the learner's Configure gives it its run. */
export async function startShard(deps: ShardDeps): Promise<RunningShard> {
  const { telemetry, lane: kind } = deps;
  let offers: Offers | undefined;
  const shard = openShard(deps, async (actor) => {
    if (offers === undefined) throw notOffered();
    return offers.offer(actor);
  });
  const { implementation } = shard;
  // The same handlers: a lane is another way to them, not another meaning.
  if (kind !== "none") {
    offers = openOffers({ kind, implementation, methods: ["Pull", "Push"], telemetry });
  }
  const server = await serve({ implementations: [implementation], telemetry });
  return {
    address: server.address,
    implementation,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([offers?.[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
      await shard[Symbol.asyncDispose]();
    },
  };
}

/** A shard that is not served. */
export interface OpenShard extends AsyncDisposable {
  readonly implementation: Implementation;
}

/** Opens one empty shard, for whoever is in the same process. */
export function openShard(
  deps: Omit<ShardDeps, "lane">,
  offerLane: ShardServiceDeps["offerLane"] = () => Promise.reject(notOffered()),
): OpenShard {
  const encoder = openEncoder();
  return {
    implementation: shardService({ ...deps, offerLane, encoder }),
    [Symbol.asyncDispose]: () => encoder[Symbol.asyncDispose](),
  };
}

const notOffered = (): HeddleError =>
  new HeddleError(
    "FAILED_PRECONDITION",
    "LANE_NOT_OFFERED",
    "this shard offers no lane (its job input says lane: none): call Pull and Push by gRPC",
  );
