import { readFileSync } from "node:fs";
import { HeddleError } from "@heddle/base";
import type { Row } from "../row.ts";
import { judge, measured, words } from "../summarise.ts";

/** A learner's memory after a step. */
export interface Held {
  readonly step: number;
  /** Resident, in KiB. */
  readonly residentKib: number;
  readonly heapUsed: number;
  readonly arrayBuffers: number;
  /** Tensors of TensorFlow.js's engine. */
  readonly tensors: number;
}

/** Samples are pooled to so many medians, so that a collection of garbage is not taken for a trend. */
const blocks = 20;
/** 97.5th percentile of Student's t with 18 degrees of freedom. */
const t = 2.101;

/** Resident memory of a process, in KiB. */
export function residentKibOf(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  if (kib !== undefined) return Number(kib);
  throw new HeddleError("FAILED_PRECONDITION", "NO_PROC", `/proc says nothing of process ${pid}`);
}

/** Growth a step with its 95 % interval, and whether it stays under a bound. */
export function slopeRow(
  measure: string,
  samples: readonly Held[],
  kibOf: (held: Held) => number,
  atMost?: number,
): Row {
  const { slope, error } = leastSquares(pooled(samples, kibOf));
  const [low, high] = [slope - t * error, slope + t * error];
  const goal = { atMost: atMost ?? 0 };
  return {
    ...{ measure, unit: "KB/step", value: slope, low, high, runs: blocks },
    ...(atMost === undefined
      ? {}
      : { goal: words(goal, "interval"), verdict: judge(goal, low, high, blocks) }),
  };
}

/** How many native tensors there were: the same at all times, or a leak. */
export function tensorsRow(samples: readonly Held[]): Row {
  const counts = samples.map(({ tensors }) => tensors);
  const [low, high] = [Math.min(...counts), Math.max(...counts)];
  const row = { ...measured("learner's native tensors", "tensors", counts), low, high };
  return { ...row, goal: "constant", verdict: low === high ? "holds" : "missed" };
}

function pooled(samples: readonly Held[], kibOf: (held: Held) => number): [number, number][] {
  const size = samples.length / blocks;
  return Array.from({ length: blocks }, (_, block) => {
    const own = samples.slice(Math.floor(block * size), Math.floor((block + 1) * size));
    const middle = (of: (held: Held) => number): number => measured("", "", own.map(of)).value;
    return [middle(({ step }) => step), middle(kibOf)];
  });
}

/** @source ordinary least squares, with the slope's standard error. */
function leastSquares(points: readonly (readonly [number, number])[]) {
  const mean = (of: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([a]) => a), mean(([, b]) => b)];
  const spread = points.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
  const slope = points.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0) / spread;
  const rest = points.reduce((sum, [a, b]) => sum + (b - y - slope * (a - x)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / (points.length - 2) / spread) };
}
