import { readdirSync, readFileSync } from "node:fs";

/**
 * Lists a process and its descendants again and again (Linux). The parent of a process is read once:
 * 100 strangers' `stat` files a second would cost more than all else here. A pid that is in two
 * listings a second apart is taken for the same process.
 */
export function processTree(root: number): () => readonly number[] {
  let parents = new Map<number, number | undefined>();
  return () => {
    const listed = readdirSync("/proc").map(Number).filter(Number.isInteger);
    parents = new Map(
      listed.map((pid) => [pid, parents.has(pid) ? parents.get(pid) : parentOf(pid)]),
    );
    const children = Map.groupBy(listed, (pid) => parents.get(pid));
    const tree = [root];
    for (const pid of tree) tree.push(...(children.get(pid) ?? []));
    return tree;
  };
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined; // It ended between the listing and the reading.
  }
}
