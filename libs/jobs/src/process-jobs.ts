import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { type Clock, messageOf, sha256, within } from "@heddle/base";
import { inputTooLarge, jobExists, jobsClosed, notStarted, programUnknown } from "./errors.ts";
import { lastLines } from "./last-lines.ts";
import type { JobExit, Jobs, JobSpec, RunningJob } from "./port.ts";
import { idVariable, inputVariable, isExitMessage, parentVariable } from "./protocol.ts";

export interface ProcessJobsOptions {
  /** By program name: its main file, an absolute path. */
  readonly programs: Readonly<Record<string, string>>;
  /** The Node to run them with. */
  readonly node: string;
  /** Standard output and error of each job go to a file in it, made when it is missing. */
  readonly logFolder: string;
  /** What every job's environment starts from; the job's own goes on top. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** For the jobs that still run when it is disposed; 5,000 when absent. */
  readonly stopGraceMs?: number;
}

/** Linux takes at most 128 KiB in one environment variable. */
const inputBytesMax = 96 << 10;
/** Between a process's end and the end of its messages, which it sent before. */
const messageGraceMs = 1_000;

/** Jobs as child processes, each bound to this one by a channel whose loss ends it. */
export function openProcessJobs(options: ProcessJobsOptions): Jobs {
  const jobs = new Map<string, RunningJob>();
  const starting = new Set<string>();
  let closed = false;
  mkdirSync(options.logFolder, { recursive: true });

  const start = async (spec: JobSpec): Promise<RunningJob> => {
    const child = spawnJob(options, spec);
    try {
      await once(child, "spawn");
    } catch (error) {
      throw notStarted(spec.id, error);
    }
    const exited = exitOf(child, options.clock, logPath(options.logFolder, spec.id));
    const job: RunningJob = {
      id: spec.id,
      exited: exited.finally(() => jobs.delete(spec.id)),
      stop: (graceMs) => stop(child, job.exited, options.clock, graceMs),
    };
    jobs.set(spec.id, job);
    return job;
  };

  return {
    start: async (spec) => {
      if (closed) throw jobsClosed(spec.id);
      if (jobs.has(spec.id) || starting.has(spec.id)) throw jobExists(spec.id);
      starting.add(spec.id);
      try {
        const job = await start(spec);
        if (closed) {
          await job.stop(0);
          throw jobsClosed(spec.id);
        }
        return job;
      } finally {
        starting.delete(spec.id);
      }
    },
    running: () => [...jobs.keys()],
    [Symbol.asyncDispose]: async () => {
      closed = true;
      const { stopGraceMs = 5_000 } = options;
      await Promise.all([...jobs.values()].map((job) => job.stop(stopGraceMs)));
    },
  };
}

/** A job's log file: its id as far as a file name can hold it, and enough of its hash to be unique. */
export function logPath(logFolder: string, id: string): string {
  const readable = id.replaceAll(/[^a-zA-Z0-9._=-]/g, "_").slice(0, 100);
  return join(logFolder, `${readable}-${sha256(id).slice(0, 8)}.log`);
}

function spawnJob(options: ProcessJobsOptions, spec: JobSpec): ChildProcess {
  const program = options.programs[spec.program];
  if (program === undefined) throw programUnknown(spec.program, Object.keys(options.programs));
  const input = JSON.stringify(spec.input);
  const inputBytes = Buffer.byteLength(input);
  if (inputBytes > inputBytesMax) throw inputTooLarge(spec.id, inputBytes, inputBytesMax);
  const heap =
    spec.memoryBytesMax === undefined
      ? []
      : [`--max-old-space-size=${Math.max(16, Math.floor(spec.memoryBytesMax / (1 << 20)))}`];
  const log = openSync(logPath(options.logFolder, spec.id), "a");
  try {
    return spawn(options.node, [...heap, program], {
      stdio: ["ignore", log, log, "ipc"],
      env: {
        ...options.environment,
        ...spec.environment,
        [inputVariable]: input,
        [idVariable]: spec.id,
        [parentVariable]: String(process.pid),
      },
    });
  } catch (error) {
    throw notStarted(spec.id, error);
  } finally {
    closeSync(log);
  }
}

async function exitOf(child: ChildProcess, clock: Clock, log: string): Promise<JobExit> {
  let said: JobExit | undefined;
  let trouble = "";
  child.on("message", (message) => {
    if (isExitMessage(message)) said ??= message.heddleJobExit;
  });
  child.on("error", (error) => (trouble = ` (${error.message})`));
  const disconnected = new Promise<void>((resolve) => void child.once("disconnect", resolve));
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.once("exit", (...how) => resolve(how));
  });
  await within(messageGraceMs, disconnected, clock);
  if (said?.kind === "failed") return said;
  if (said?.kind === "succeeded" && code === 0) return said;
  const how =
    signal === null ? `ended with status ${code} and no result` : `was killed by ${signal}`;
  const lines = await lastLines(log).catch((error: unknown) => messageOf(error));
  return { kind: "lost", message: `it ${how}${trouble}; its log ${log} ends with:\n${lines}` };
}

async function stop(
  child: ChildProcess,
  exited: Promise<JobExit>,
  clock: Clock,
  graceMs: number,
): Promise<void> {
  child.kill("SIGTERM");
  await within(graceMs, exited, clock);
  child.kill("SIGKILL");
  await exited;
}
