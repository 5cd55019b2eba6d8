import { HeddleError, present } from "@heddle/base";
import type { Bounds } from "@heddle/proto/parameter-server";
import type { Resumed } from "../course/update-order.ts";

/** What one learner will still push to a shard that took a lost one's place. */
export interface Told {
  readonly learner: number;
  readonly learners: number;
  /** The highest update that it has asked to pull. */
  readonly begun: number;
  /** Those up to it that the lost shard had not acknowledged. */
  readonly open: readonly number[];
  /** Of the leader: the last cut that it has asked for. */
  readonly copied: number;
  /** Of the pushes acknowledged to it. */
  readonly lossSum: number;
  readonly learnerCpuSeconds: number;
}

/** All that the gang knows of the lost shard. */
interface Regained extends Resumed {
  readonly lossSum: number;
  readonly learnerCpuSeconds: number;
}

/** Learners that come back to a shard that took a lost one's place. Nobody is served before all are there. */
export interface Rejoin {
  readonly isWhole: boolean;
  /**
   * One learner is back; what it said before is forgotten.
   *
   * @param restored step of the cut that the shard holds.
   * @returns what all say together, when this one was the last.
   * @throws {HeddleError} INVALID_ARGUMENT REJOIN_INVALID.
   */
  tell(told: Told, restored: number, bounds: Bounds | undefined): Regained | undefined;
}

/** @param isFirst of the processes that an attempt begins with, to which nobody has to come back. */
export function openRejoin(isFirst: boolean): Rejoin {
  const back = new Map<number, Told>();
  let isWhole = isFirst;
  return {
    get isWhole() {
      return isWhole;
    },
    tell: (told, restored, bounds) => {
      if (isWhole) return undefined;
      check(told, restored, bounds);
      const [other] = back.values();
      if (other !== undefined && other.learners !== told.learners) {
        throw invalid(`learners of ${other.learners} and of ${told.learners}`);
      }
      back.set(told.learner, told);
      if (back.size < told.learners) return undefined;
      isWhole = true;
      return regained([...back.values()], restored);
    },
  };
}

function regained(all: readonly Told[], restored: number): Regained {
  const sum = (of: (told: Told) => number): number =>
    all.reduce((total, told) => total + of(told), 0);
  return {
    copied: present(all.find(({ learner }) => learner === 0)?.copied, "the word of the leader"),
    done: all.flatMap((told) => acknowledged(told, restored)).sort((a, b) => a - b),
    lossSum: sum(({ lossSum }) => lossSum),
    learnerCpuSeconds: sum(({ learnerCpuSeconds }) => learnerCpuSeconds),
  };
}

/** Updates of a learner that are beyond the restored cut and will not come any more. */
function acknowledged({ learner, learners, begun, open }: Told, restored: number): number[] {
  const coming = new Set(open);
  const done: number[] = [];
  const past = (((learner - restored) % learners) + learners) % learners;
  for (let update = restored + 1 + past; update <= begun; update += learners) {
    if (!coming.has(update)) done.push(update);
  }
  return done;
}

function check(
  { learner, learners, begun, open, copied, lossSum, learnerCpuSeconds }: Told,
  restored: number,
  bounds: Bounds | undefined,
): void {
  if (bounds === undefined)
    throw invalid("a run in exact mode, whose shards are not replaced alone");
  if (learner >= learners) throw invalid(`learner ${learner} of ${learners}`);
  // Those in flight, and as many as wait at most for that.
  if (open.length > 2 * bounds.inFlight) {
    throw invalid(`${open.length} open updates, where ${bounds.inFlight} may be in flight`);
  }
  // Two cuts lie after the newest snapshot at most, and a learner asks for nothing beyond the one that follows.
  if (Math.max(begun, copied) > restored + 4 * bounds.snapshotSteps) {
    throw invalid(`update ${begun} begun and cut ${copied} taken, so far beyond cut ${restored}`);
  }
  // One up to the restored cut is in it: it was applied, and its acknowledgement was lost.
  if (open.some((update) => update > begun)) {
    throw invalid(`open updates ${open.join(", ")}, beyond ${begun}, the last that it began`);
  }
  if (!Number.isFinite(lossSum) || !Number.isFinite(learnerCpuSeconds)) {
    throw invalid(`sums of ${lossSum} and ${learnerCpuSeconds}`);
  }
}

function invalid(what: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "REJOIN_INVALID",
    `a learner cannot come back to this shard with ${what}: all learners of a gang must be of one release; the attempt has to end`,
  );
}
