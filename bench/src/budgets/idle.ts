import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { processTree } from "@heddle/cli";
import { cpuSecondsOf } from "../train/cpu.ts";

/** What a process that nobody asks for anything takes in a stretch of time. */
export interface Stretch {
  /** Of a second of one core. */
  readonly cpuMsPerSecond: number;
  /** How often one of its threads slept and was woken. */
  readonly wakesPerSecond: number;
  /** Resident at the end: what it has with others counts whole, so that others' processes change nothing. */
  readonly memoryBytes: number;
  /** Of it what lies in no file: heaps and stacks. */
  readonly anonymousBytes: number;
}

/** How long processes are left alone before they are watched, and how often for how long they are. */
export interface Watch {
  readonly settleSeconds: number;
  readonly seconds: number;
  readonly rounds: number;
}

/** Watches processes while they idle (Linux). @returns the stretches of each, in order. */
export async function watchIdle(
  pids: readonly number[],
  { settleSeconds, seconds, rounds }: Watch,
): Promise<readonly (readonly Stretch[])[]> {
  await wait(settleSeconds * 1_000);
  const stretches = pids.map((): Stretch[] => []);
  for (let round = 0; round < rounds; round++) {
    const before = pids.map(takenBy);
    const began = performance.now();
    await wait(seconds * 1_000);
    const elapsed = (performance.now() - began) / 1_000;
    const after = pids.map(takenBy);
    for (const [i, pid] of pids.entries()) {
      const [then, now] = [before[i], after[i]];
      if (then === undefined || now === undefined) continue;
      stretches[i]?.push({
        cpuMsPerSecond: (1_000 * (now.cpuSeconds - then.cpuSeconds)) / elapsed,
        wakesPerSecond: (now.wakes - then.wakes) / elapsed,
        ...memoryOf(pid),
      });
    }
  }
  return stretches;
}

/** A service or command of ours below another process, by its folder in `apps`. What they start for a while (an engine, jobs) is none. */
export interface Program {
  readonly pid: number;
  readonly app: string;
}

/** Ours among a process and its descendants. */
export function programsBelow(root: number): readonly Program[] {
  return processTree(root)().flatMap((pid) => {
    const [, app] = /\bapps\/([\w-]+)\/src\/main\.ts/.exec(textOf(pid, "cmdline")) ?? [];
    return app === undefined ? [] : [{ pid, app }];
  });
}

function takenBy(pid: number) {
  const wakes = readdirSync(`/proc/${pid}/task`).map((thread) =>
    numberIn(textOf(pid, `task/${thread}/status`), "voluntary_ctxt_switches"),
  );
  return { cpuSeconds: cpuSecondsOf(pid), wakes: wakes.reduce((sum, each) => sum + each, 0) };
}

function memoryOf(pid: number): Pick<Stretch, "memoryBytes" | "anonymousBytes"> {
  const status = textOf(pid, "status");
  const bytes = (name: string): number => numberIn(status, name) * 1_024;
  return { memoryBytes: bytes("VmRSS"), anonymousBytes: bytes("RssAnon") };
}

const textOf = (pid: number, file: string): string => readFileSync(`/proc/${pid}/${file}`, "utf8");

const numberIn = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? Number.NaN);
