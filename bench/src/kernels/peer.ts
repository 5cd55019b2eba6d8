import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TemporaryFolder } from "@heddle/testkit";
import { openLinePeer } from "../line-peer.ts";
import type { Work } from "./rows.ts";

const source = join(import.meta.dirname, "../../kernels/peer.cpp");
/** errno off lets the compiler vectorise the root; no contraction keeps the bits of float32 arithmetic. */
const flags = ["-O3", "-fno-math-errno", "-ffp-contract=off"];

/** The table in C++, in a process of its own. */
export interface Peer {
  /** Takes all batches once; says how many seconds that took, or for `sum` the sum of what was pulled. */
  ask(command: "pull" | "push" | "sum"): Promise<number>;
  close(): Promise<void>;
}

/** Compiles and starts the peer; undefined where there is no g++. */
export function openPeer(folder: TemporaryFolder, work: Work, path: string): Peer | undefined {
  const program = folder.file("peer");
  try {
    execFileSync("g++", [...flags, "-o", program, source], { env: { PATH: path } });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const data = folder.file("ids");
  const { rows, batches } = work;
  const head = BigUint64Array.of(...[rows, batches, batches[0] ?? []].map((a) => BigInt(a.length)));
  const parts = [head, rows, ...batches].map((ids) => Buffer.from(ids.buffer));
  writeFileSync(data, Buffer.concat(parts));
  const { ask, close } = openLinePeer("the peer in C++", program, [data]);
  return { ask: async (command) => Number(await ask(command)), close };
}
