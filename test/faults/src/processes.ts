import { readdirSync, readFileSync } from "node:fs";

/** A process that a heddle command started, directly or not. */
export interface Descendant {
  readonly pid: number;
  /** Its main file, e.g. `train-job.ts`; empty when it is no script. */
  readonly script: string;
}

/** All descendants of a process now (Linux). */
export function descendantsOf(root: number): Descendant[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    const parent = Number.isInteger(pid) ? parentOf(pid) : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: Descendant[] = [];
  const queue = [...(children.get(root) ?? [])];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    found.push({ pid, script: scriptOf(pid) });
    queue.push(...(children.get(pid) ?? []));
  }
  return found;
}

export function isAlive(pid: number): boolean {
  return parentOf(pid) !== undefined;
}

/** Parent of a process; undefined when it is gone or only waits to be reaped. */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

function scriptOf(pid: number): string {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return (
      words
        .find((word) => word.endsWith(".ts"))
        ?.split("/")
        .at(-1) ?? ""
    );
  } catch {
    return "";
  }
}
