/** A unit of work to start: a Node entry point in a process (or container) of its own. */
export interface JobSpec {
  /** Derived from (pipeline, window, step, attempt), so that a late second start collides. */
  readonly id: string;
  /** Which program: the app's name and its job entry, e.g. `learner`. */
  readonly program: string;
  /** Handed to the program as `HEDDLE_JOB` (JSON). */
  readonly input: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryBytesMax?: number;
}

export type JobExit =
  | { readonly kind: "succeeded" }
  /** The program said why it failed; `retryable` as it said. */
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly message: string;
      readonly retryable: boolean;
    }
  /** It vanished: killed, out of memory, lost its parent. */
  | { readonly kind: "lost"; readonly message: string };

export interface RunningJob {
  readonly id: string;
  readonly exited: Promise<JobExit>;
  /** SIGTERM, then SIGKILL after the grace. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
}

/** The jobs port. */
export interface Jobs {
  /** @throws {HeddleError} ALREADY_EXISTS JOB_EXISTS when the id is running. */
  start(spec: JobSpec): Promise<RunningJob>;
  running(): readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}
