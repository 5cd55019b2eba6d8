import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { HeddleError } from "@heddle/base";
import type { TemporaryFolder } from "@heddle/testkit";
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
  const child = spawn(program, [data], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    ask: async (command) => {
      child.stdin.write(`${command}\n`);
      const line = await lines.next();
      if (line.done !== true) return Number(line.value);
      throw new HeddleError("INTERNAL", "PEER_ENDED", "the peer in C++ ended in the midst of it");
    },
    close: async () => {
      const exit = once(child, "exit");
      child.stdin.end();
      await exit;
    },
  };
}
