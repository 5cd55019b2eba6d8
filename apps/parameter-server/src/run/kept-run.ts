import type { Clock } from "@heddle/base";
import type { Bounds, ConfigureRequest } from "@heddle/proto/parameter-server";
import { openBoundedCourse } from "../course/bounded-course.ts";
import type { Course } from "../course/course.ts";
import { declarationOf } from "./declaration.ts";
import { openExactCourse } from "../course/exact-course.ts";
import { openPace, type Pace } from "../course/pace.ts";
import { openShard, type Shard } from "../shard.ts";
import { openJoin, type StepPart } from "../course/step-part.ts";
import { openRejoin, type Told } from "./rejoin.ts";

/** The run a shard keeps, from its first Configure on. */
export interface KeptRun {
  readonly request: ConfigureRequest;
  readonly shard: Shard;
  readonly course: Course;
  readonly microBatches: number;
  /** The step it last returned to. */
  readonly start: number;
  readonly totals: Totals;
  /** What each pull passes. */
  readonly pace: Pace;
  /** @param lossSum of all examples up to the step. */
  returnTo(step: number, lossSum: number): void;
  /** Whether pulls and pushes may come: to a shard that took a lost one's place, once all learners are back. */
  readonly isWhole: boolean;
  /**
   * A learner is back.
   *
   * @throws {HeddleError} INVALID_ARGUMENT REJOIN_INVALID.
   */
  rejoin(told: Told): void;
  /** Updates that count as applied, and that this shard does not have. */
  readonly lostUpdates: number;
}

/** What is summed up over steps, in the order in which they are applied. */
interface Totals {
  readonly lossSum: number;
  readonly learnerCpuSeconds: number;
}

export interface KeptRunOptions {
  readonly tableRowsMax: number;
  readonly clock: Clock;
  /** Life of this process: 0 unless it took a lost one's place. */
  readonly life: number;
  /** Calls that wait look again. */
  readonly onChange: () => void;
  /** Told of each push applied in bounded mode. */
  readonly onStaleness: (staleness: number) => void;
}

/** @throws {HeddleError} INVALID_ARGUMENT DECLARATION_INVALID. */
export function openKeptRun(request: ConfigureRequest, options: KeptRunOptions): KeptRun {
  const { tableRowsMax, clock, life, onChange, onStaleness } = options;
  const microBatches = Math.max(1, request.microBatches);
  const shard = openShard(declarationOf(request), tableRowsMax);
  const totals = { lossSum: 0, learnerCpuSeconds: 0 };
  const join = openJoin();
  const check = ({ tables, dense }: StepPart): void => shard.check(tables, dense);
  const apply = (parts: readonly StepPart[], state: number): void => {
    const { tables, dense } = join(parts);
    shard.push(tables, dense, state);
    for (const { lossSum, learnerCpuSeconds } of parts) {
      totals.lossSum += lossSum;
      totals.learnerCpuSeconds += learnerCpuSeconds;
    }
  };
  const { bounds, lag } = request;
  const course =
    bounds === undefined
      ? openExactCourse({ lag, microBatches, check, apply, onChange })
      : openBoundedCourse({ bounds, apply, onChange, onStaleness });
  const back = openRejoin(life === 0);
  let start = 0;
  let lostUpdates = 0;
  return {
    ...{ request, shard, course, microBatches, totals },
    get start() {
      return start;
    },
    get isWhole() {
      return back.isWhole;
    },
    get lostUpdates() {
      return lostUpdates;
    },
    rejoin: (told) => {
      const regained = back.tell(told, start, bounds);
      if (regained === undefined) return;
      lostUpdates = course.resume?.(regained) ?? 0;
      totals.lossSum = regained.lossSum;
      totals.learnerCpuSeconds = regained.learnerCpuSeconds;
      onChange();
    },
    pace: openPace(paceOf(bounds), clock),
    returnTo: (step, lossSum) => {
      course.returnTo(step);
      start = step;
      totals.lossSum = lossSum;
      totals.learnerCpuSeconds = 0;
      onChange();
    },
  };
}

const paceOf = (bounds: Bounds | undefined): number => bounds?.pushesPerSecond ?? 0;
