import { readFileSync } from "node:fs";
import { HeddleError } from "@heddle/base";
import type { Row } from "../row.ts";
import { blocks, slopeOf } from "../slope.ts";
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
  const { value, low, high } = slopeOf(samples.map((held) => [held.step, kibOf(held)]));
  const goal = { atMost: atMost ?? 0 };
  return {
    ...{ measure, unit: "KB/step", value, low, high, runs: blocks },
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
