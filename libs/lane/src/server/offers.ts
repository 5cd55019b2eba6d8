import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Served } from "./calls.ts";
import { lanesExhausted } from "../errors.ts";
import { defaultLimits, type LaneLimits } from "../limits.ts";
import { type LaneKind, listen, type Listening } from "./listen.ts";
import { openPool, type Pool } from "../frames/pool.ts";
import { type ServedLane, welcome } from "./welcome.ts";

/** A lane that may be taken once. */
export interface Offer {
  /** `unix:` and a path, or `tcp:` and `host:port`. */
  readonly address: string;
  readonly token: Uint8Array;
  readonly expiresInMs: number;
}

/** The side of a service. Each offer listens by itself, until it is taken or too old: nothing stays behind on the disk. */
export interface Offers {
  /**
   * @param actor who asked: the caller of all that comes by this lane.
   * @throws {HeddleError} RESOURCE_EXHAUSTED LANES_EXHAUSTED; UNAVAILABLE LANE_NOT_LISTENING.
   */
  offer(actor: string): Promise<Offer>;
  /** Withdraws offers, lets calls end for up to `drainMs`, and closes the lanes. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface OffersOptions extends Served {
  readonly kind: LaneKind;
  /** Those of `defaultLimits` where absent. */
  readonly limits?: Partial<LaneLimits>;
  /** Where calls and answers lie; of its own when absent. */
  readonly pool?: Pool;
  /** How long calls under way may take when lanes close; 2,000 when absent. */
  readonly drainMs?: number;
}

const tokenBytes = 32;

/** Offers lanes of the kind, each to one caller that was told its token over gRPC. */
export function openOffers(options: OffersOptions): Offers {
  const { kind, drainMs = 2_000 } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const { pool = openPool(limits) } = options;
  const offers = new Set<Listening>();
  const lanes = new Set<ServedLane>();

  const offer = async (actor: string): Promise<Offer> => {
    if (offers.size + lanes.size >= limits.lanesMax) throw lanesExhausted(limits.lanesMax);
    const token = randomBytes(tokenBytes);
    let taken = false;
    const listening = await listen(kind, (socket) => {
      const redeem = (given: Uint8Array): boolean => {
        if (taken || given.length !== tokenBytes || !timingSafeEqual(given, token)) return false;
        withdraw();
        lanes.add(lane);
        return true;
      };
      const lane = welcome({ ...options, limits, pool, socket, actor, redeem });
      void lane.ended.then(() => lanes.delete(lane));
    });
    const expiry = setTimeout(() => withdraw(), limits.offerMs).unref();
    const withdraw = (): void => {
      taken = true;
      clearTimeout(expiry);
      offers.delete(listening);
      listening.close();
    };
    offers.add(listening);
    return { address: listening.address, token, expiresInMs: limits.offerMs };
  };
  return {
    offer,
    [Symbol.asyncDispose]: async () => {
      for (const listening of offers) listening.close();
      await Promise.all([...lanes].map((lane) => lane.close(drainMs)));
    },
  };
}
