import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { HeddleError } from "@heddle/base";

/** A program in a process of its own that answers each line it is given with one line. */
export interface LinePeer {
  /** @throws {HeddleError} INTERNAL PEER_ENDED when it ends instead of answering, with its last words when they were kept. */
  ask(line: string): Promise<string>;
  /** Ends its input and waits for it. */
  close(): Promise<void>;
}

/** @param stderr where its messages go: shown, or kept for the error when it fails. */
export function openLinePeer(
  what: string,
  program: string,
  args: readonly string[],
  stderr: "show" | "keep" = "show",
): LinePeer {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  let lastWords = "";
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (stderr === "show") console.error(line);
    else lastWords = line || lastWords;
  });
  // Without a listener, a program that is gone would end this process too.
  child.stdin.on("error", () => undefined);
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (line) => {
      child.stdin.write(`${line}\n`);
      const answer = await lines.next();
      if (answer.done !== true) return answer.value;
      await ended;
      const why = lastWords === "" ? "" : `: ${lastWords}`;
      throw new HeddleError("INTERNAL", "PEER_ENDED", `${what} ended in the midst of it${why}`);
    },
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
