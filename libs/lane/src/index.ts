export { type Checksum, openChecksum } from "./checksum.ts";
export { type ConnectLaneOptions, connectLane, type Lane } from "./connect.ts";
export type { LaneCallOptions } from "./pending.ts";
export { defaultLimits, type LaneLimits } from "./limits.ts";
export type { LaneKind } from "./listen.ts";
export { openPool, openSharedPool, type Pool, type PoolOptions } from "./pool.ts";
export { type Offer, type Offers, type OffersOptions, openOffers } from "./offers.ts";
