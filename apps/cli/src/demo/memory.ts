import { readdirSync, readFileSync } from "node:fs";

/** Samples the memory of this process and all its descendants once a second; the peak of the sums. */
export interface MemoryMeter extends Disposable {
  /** Proportional set size summed over the processes, bytes; undefined where the system does not tell (not Linux). */
  peakBytes(): number | undefined;
}

const sampleMs = 1_000;

export function meterMemory(): MemoryMeter {
  let peak: number | undefined;
  const sample = (): void => {
    const now = treeBytes(process.pid);
    if (now !== undefined) peak = Math.max(peak ?? 0, now);
  };
  const timer = setInterval(sample, sampleMs);
  timer.unref();
  return { peakBytes: () => peak, [Symbol.dispose]: () => clearInterval(timer) };
}

/** Shared pages are counted once over all processes: that is what PSS is for. */
function treeBytes(root: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    const parent = Number.isInteger(pid) ? parentOf(pid) : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  let sum = 0;
  for (const queue = [root]; queue.length > 0;) {
    const pid = queue.pop() ?? 0;
    sum += pssOf(pid);
    queue.push(...(children.get(pid) ?? []));
  }
  return sum;
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined; // It ended between the listing and the reading.
  }
}

function pssOf(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
