import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import type { IngestLoad } from "./load.ts";
import type { ProducerTold } from "./producer-main.ts";

/** The producer in its own process. */
export interface RunningProducer extends AsyncDisposable {
  readonly pid: number;
  tell(told: ProducerTold): void;
  /** Events acknowledged to it. */
  sent(): number;
}

export async function startProducer(load: IngestLoad): Promise<RunningProducer> {
  const child = fork(join(import.meta.dirname, "producer-main.ts"), [JSON.stringify(load)]);
  let sent = 0;
  const ready = Promise.withResolvers<void>();
  child.on("message", (message: { readonly ready?: true; readonly sent?: number }) => {
    sent = message.sent ?? sent;
    if (message.ready === true) ready.resolve();
  });
  child.once("exit", (code) => ready.reject(new Error(`the producer ended with ${code}`)));
  await ready.promise;
  return {
    pid: child.pid ?? 0,
    tell: (told) => void child.send(told),
    sent: () => sent,
    [Symbol.asyncDispose]: () => ended(child),
  };
}

/** The feature store in its own process. */
export interface RunningStore extends AsyncDisposable {
  readonly pid: number;
  readonly address: string;
  /** Collects its garbage. */
  collect(): Promise<void>;
}

export async function startStore(
  folder: string,
  brokers: string,
  partitions: number,
): Promise<RunningStore> {
  const args = [folder, brokers, String(partitions)];
  const execArgv = [...process.execArgv, "--expose-gc"];
  const child = fork(join(import.meta.dirname, "store-main.ts"), args, { execArgv });
  const address = await new Promise<string>((resolve, reject) => {
    child.once("message", (message) => resolve((message as { address: string }).address));
    child.once("exit", (code) => reject(new Error(`the feature store ended with ${code}`)));
  });
  return {
    ...{ pid: child.pid ?? 0, address },
    collect: async () => {
      child.send({ collect: true });
      await once(child, "message");
    },
    [Symbol.asyncDispose]: () => ended(child),
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.disconnect();
  await gone;
}

/** What a process and its children use: memory now, and CPU since they started. */
export interface Usage {
  readonly rssBytes: number;
  readonly cpuSeconds: number;
}

/** By process id of the eldest. */
export async function usageOf(pids: readonly number[]): Promise<readonly Usage[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,rss=,cputimes="]);
  const all = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid = 0, parent = 0, rss = 0, cpuSeconds = 0]) => ({
      ...{ pid, parent, rssBytes: rss * 1_024, cpuSeconds },
    }));
  return pids.map((eldest) => {
    const family = all.filter(({ pid, parent }) => pid === eldest || parent === eldest);
    return {
      rssBytes: family.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
      cpuSeconds: family.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    };
  });
}
