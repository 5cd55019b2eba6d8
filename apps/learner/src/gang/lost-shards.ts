import { messageOf } from "@heddle/base";
import type { TrainDeps } from "../deps.ts";
import type { CutPlace, NewPlace, Regained, Wire } from "../wire/wire.ts";

/** A shard that was lost and replaced alone. */
export interface ShardLoss extends Regained {
  readonly shard: number;
  /** Life of the process that took its place. */
  readonly life: number;
  /** When the scheduler noticed, wall milliseconds since the epoch. */
  readonly lostTimeMs: number;
  /** From then until it served again. */
  readonly seconds: number;
}

/** Follows the gang, while it is open. */
export interface ShardWatch extends AsyncDisposable {
  /** So far. */
  readonly losses: readonly ShardLoss[];
}

/** Runs a replacement with the cut that it restores. */
type During = <T>(replace: (cutOf: () => Promise<CutPlace>) => Promise<T>) => Promise<T>;

/**
 * In bounded mode, follows the scheduler's word of which process keeps which shard, and comes back to those that took a lost one's place.
 * What fails there fails the calls to that shard, and so the attempt.
 *
 * @param during of the leader's cuts; absent for a learner that does not lead.
 */
export function watchShards(
  { scheduler, telemetry, clock }: TrainDeps,
  wire: Wire,
  during: During | undefined,
  signal: AbortSignal,
): ShardWatch {
  const { replace } = wire;
  const losses: ShardLoss[] = [];
  if (replace === undefined) return { losses, [Symbol.asyncDispose]: async () => undefined };
  const lostUpdates = telemetry.counter(
    "heddle.learner.lost_updates",
    "{update}",
    "updates that a lost shard had applied after the snapshot that was restored in its place",
  );
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const lives = new Map<number, number>();

  const regain = async (place: NewPlace, lostForMs: number): Promise<void> => {
    const { shard, life, address } = place;
    const began = clock.monotonicMs();
    const lostTimeMs = clock.now() - lostForMs;
    telemetry.log.warn({ shard, life, address }, "shard lost, another process takes its place");
    try {
      const regained =
        during === undefined
          ? await replace(place)
          : await during((cutOf) => replace(place, cutOf));
      if (regained === undefined) return;
      const seconds = (clock.monotonicMs() - began + lostForMs) / 1_000;
      losses.push({ ...regained, shard, life, lostTimeMs, seconds });
      if (during !== undefined) lostUpdates.add(regained.lostUpdates);
      telemetry.log.warn({ shard, life, ...regained, seconds }, "shard restored alone");
    } catch (error) {
      if (stop.aborted) return;
      telemetry.log.error({ shard, life, error: messageOf(error) }, "shard could not be restored");
    }
  };
  const follow = async (): Promise<void> => {
    for (let known = 0; ;) {
      const gang = await scheduler.awaitReplacements(known, stop);
      // A scheduler of an earlier release answers at once, and replaces nobody.
      if (gang.losses <= known) return;
      known = gang.losses;
      for (const [role, { life, lostForMs }] of Object.entries(gang.replacements)) {
        const shard = Number(/^shard-(\d+)$/.exec(role)?.[1]);
        const address = gang.addresses[role];
        if (address === undefined || lives.get(shard) === life) continue;
        lives.set(shard, life);
        void regain({ shard, address, life }, lostForMs);
      }
    }
  };
  const following = follow().catch((error: unknown) => {
    if (stop.aborted) return;
    // A shard that is lost from now on is not found again, and the calls to it say so.
    telemetry.log.warn({ error: messageOf(error) }, "the gang is not followed any more");
  });
  return {
    losses,
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await following;
    },
  };
}
