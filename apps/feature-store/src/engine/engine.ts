import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { HeddleError } from "@heddle/base";
import { parentVariable } from "@heddle/jobs";
import type { Telemetry } from "@heddle/telemetry";
import {
  type EngineCall,
  type EngineReply,
  type EngineRequest,
  type EngineResult,
  fromWire,
} from "./engine-protocol.ts";

/** The feature engine in a process of its own. */
export interface Engine {
  /**
   * Runs a request beside others; more than the process has connections for wait.
   *
   * @throws {HeddleError} those of the request; UNAVAILABLE ENGINE_LOST when the process died, to be tried again.
   */
  ask<R extends EngineRequest>(request: R): Promise<EngineResult<R>>;
  /** Process id while it runs, for tests that kill it. */
  pid(): number | undefined;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface EngineOptions {
  readonly threads: number;
  readonly memoryBytesMax: number;
  readonly tempFolder: string;
  readonly telemetry: Telemetry;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** A process that nobody asks keeps what its last requests took, some 200 MB; another one is up in a third of a second. */
const idleMs = 60_000;

/** Starts the process with the first request, and again after it was lost or had idled. It ends with this one. */
export function openEngine(options: EngineOptions): Engine {
  const { telemetry, ...settings } = options;
  const waiting = new Map<number, Waiting>();
  let child: ChildProcess | undefined;
  let idle: NodeJS.Timeout | undefined;
  let calls = 0;

  const start = (): ChildProcess => {
    mkdirSync(settings.tempFolder, { recursive: true });
    const started = fork(join(import.meta.dirname, "engine-main.ts"), [], {
      env: {
        ...baseEnvironment(),
        HEDDLE_ENGINE: JSON.stringify(settings),
        [parentVariable]: String(process.pid),
      },
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    started.on("message", (reply: EngineReply) => {
      const caller = waiting.get(reply.call);
      waiting.delete(reply.call);
      if ("error" in reply) caller?.reject(fromWire(reply.error));
      else caller?.resolve(reply.result);
      if (waiting.size === 0) idle = setTimeout(retire, idleMs).unref();
    });
    started.once("exit", (status, signal) => {
      if (child !== started) return;
      child = undefined;
      if (waiting.size > 0) telemetry.log.warn({ status, signal }, "the feature engine was lost");
      for (const caller of waiting.values()) caller.reject(lost(signal ?? `status ${status}`));
      waiting.clear();
    });
    return started;
  };
  /** It holds nothing that lasts. */
  const retire = (): void => {
    child?.kill("SIGKILL");
    child = undefined;
  };

  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        clearTimeout(idle);
        const call = (calls += 1);
        waiting.set(call, { resolve: resolve, reject });
        const message: EngineCall = { call, request };
        child ??= start();
        child.send(message, (error) => {
          // The exit that explains it rejects the caller.
          if (error !== null)
            telemetry.log.warn({ error: error.message }, "the feature engine takes no request");
        });
      }),
    pid: () => child?.pid,
    [Symbol.asyncDispose]: async () => {
      clearTimeout(idle);
      const running = child;
      if (running === undefined || running.exitCode !== null) return;
      const gone = new Promise((resolve) => running.once("exit", resolve));
      running.kill("SIGKILL");
      await gone;
    },
  };
}

/** What a Node process needs of its surroundings, and no failpoint or setting meant for the service. */
function baseEnvironment(): Record<string, string> {
  const path = process.execPath.slice(0, process.execPath.lastIndexOf("/"));
  const { NODE_COMPILE_CACHE: compiled } = process.env;
  return { PATH: path, ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }) };
}

function lost(how: string): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "ENGINE_LOST",
    `the feature engine ended while it worked (${how}); try again, it is started anew`,
  );
}
