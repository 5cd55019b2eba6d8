import { readFileSync } from "node:fs";
import { processTree } from "./process-tree.ts";

/** Samples the memory of this process and all its descendants once a second; the peak of the sums. */
export interface MemoryMeter extends Disposable {
  /**
   * Proportional set size summed over the processes, bytes: that of a sample, and at most 2 % below
   * the highest one. Undefined where the system does not tell (not Linux).
   */
  peakBytes(): number | undefined;
}

const sampleMs = 1_000;
/** A sample is measured when it may be this many times the peak. */
const worthMeasuring = 1.02;

export function meterMemory(): MemoryMeter {
  if (process.platform !== "linux") {
    return { peakBytes: () => undefined, [Symbol.dispose]: () => undefined };
  }
  const { sample, peakBytes } = treeMemory(process.pid);
  const timer = setInterval(sample, sampleMs);
  timer.unref();
  return { peakBytes, [Symbol.dispose]: () => clearInterval(timer) };
}

/**
 * The kernel walks all pages of a process to tell its PSS (some 40 µs per MiB: 50 ms a sample of the
 * demo), but counts its resident pages as it goes. So each sample reads the counters and bounds the
 * sum: a private page counts whole, and the shares of files were those of the last measurement, plus
 * at most the file pages that each process has more than then. Processes that ended leave their
 * shares to the others, so these stay in the bound. Only what may be a new peak is measured.
 */
export function treeMemory(root: number) {
  const list = processTree(root);
  const filesThen = new Map<number, number>();
  let fileShares = 0;
  let peak = 0;
  let measured = 0;

  const measure = (pids: readonly number[]): void => {
    const shares = pids.map((pid) => kilobytes(pid, "smaps_rollup", "Pss", "Pss_Anon"));
    const [all, anonymous] = [0, 1].map((i) => shares.reduce((sum, of) => sum + (of[i] ?? 0), 0));
    fileShares = (all ?? 0) - (anonymous ?? 0);
    peak = Math.max(peak, all ?? 0);
    measured += 1;
  };
  return {
    sample: (): void => {
      const pids = list();
      const now = pids.map((pid) => [pid, ...resident(pid)] as const);
      const bound = now.reduce(
        (sum, [pid, own, files]) => sum + own + Math.max(0, files - (filesThen.get(pid) ?? 0)),
        fileShares,
      );
      if (bound <= peak * worthMeasuring) return;
      filesThen.clear();
      for (const [pid, , files] of now) filesThen.set(pid, files);
      measure(pids);
    },
    peakBytes: () => peak * 1_024,
    /** Samples that were measured. */
    measured: () => measured,
  };
}

/** Private and shared resident memory of a process, kB; nothing when it has ended. */
function resident(pid: number): readonly [number, number] {
  const [own = 0, file = 0, shared = 0] = kilobytes(
    pid,
    "status",
    "RssAnon",
    "RssFile",
    "RssShmem",
  );
  return [own, file + shared];
}

function kilobytes(pid: number, file: string, ...names: readonly string[]): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/${file}`, "utf8");
    return names.map((name) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0),
    );
  } catch {
    return []; // It ended between the listing and the reading.
  }
}
