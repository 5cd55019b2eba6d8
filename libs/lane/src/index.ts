export { type Checksum, openChecksum } from "./frames/checksum.ts";
export { type ConnectLaneOptions, connectLane, type Lane } from "./client/connect.ts";
export type { LaneCallOptions } from "./client/pending.ts";
export type { LaneLimits } from "./limits.ts";
export type { LaneKind } from "./server/listen.ts";
export { openPool, openSharedPool, type Pool, type PoolOptions } from "./frames/pool.ts";
export { type Offer, type Offers, type OffersOptions, openOffers } from "./server/offers.ts";
