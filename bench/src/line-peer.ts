import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { HeddleError } from "@heddle/base";

/** A program in a process of its own that answers each line it is given with one line. */
export interface LinePeer {
  ask(line: string): Promise<string>;
  /** Ends its input and waits for it. */
  close(): Promise<void>;
}

/** @param stderr where its messages go; `inherit` unless given. */
export function openLinePeer(
  what: string,
  program: string,
  args: readonly string[],
  stderr: "inherit" | "ignore" = "inherit",
): LinePeer {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", stderr] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    ask: async (line) => {
      child.stdin.write(`${line}\n`);
      const answer = await lines.next();
      if (answer.done !== true) return answer.value;
      throw new HeddleError("INTERNAL", "PEER_ENDED", `${what} ended in the midst of it`);
    },
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, "exit");
      child.stdin.end();
      await exit;
    },
  };
}
