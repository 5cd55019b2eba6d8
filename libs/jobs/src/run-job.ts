import { type ErrorCode, HeddleError, messageOf } from "@heddle/base";
import { exitWithParent } from "./exit-with-parent.ts";
import type { JobExit } from "./port.ts";
import { type ExitMessage, exitStatus, inputVariable } from "./protocol.ts";

type Work = (input: Readonly<Record<string, unknown>>, signal: AbortSignal) => Promise<void>;

const retryableCodes: readonly ErrorCode[] = [
  "UNAVAILABLE",
  "ABORTED",
  "RESOURCE_EXHAUSTED",
  "DEADLINE_EXCEEDED",
];

/**
 * The main of a job's process: hands the input to `work`, tells the parent how it ended, and exits.
 * SIGTERM aborts the signal; a job that then stops is reported as JOB_STOPPED, which may be retried.
 * A lost parent ends the process at once.
 *
 * @param host this process, which only a main file may reach for.
 */
export async function runJob(work: Work, host: NodeJS.Process = process): Promise<never> {
  exitWithParent(host);
  const stop = new AbortController();
  host.once("SIGTERM", () => {
    stop.abort(new HeddleError("CANCELLED", "JOB_STOPPED", "the job was asked to stop"));
  });
  const exit = await settle(work, host.env[inputVariable], stop.signal);
  if (exit.kind === "failed") {
    host.stderr.write(`job failed: ${exit.reason}: ${exit.message}\n`);
  }
  await tellParent(host, exit);
  if (exit.kind === "succeeded") return host.exit(exitStatus.succeeded);
  return host.exit(
    exit.kind === "failed" && exit.retryable ? exitStatus.retryable : exitStatus.failed,
  );
}

async function settle(
  work: Work,
  input: string | undefined,
  signal: AbortSignal,
): Promise<JobExit> {
  try {
    await work(parseInput(input), signal);
    return { kind: "succeeded" };
  } catch (error) {
    if (signal.aborted) {
      const message = `stopped when asked to (${messageOf(error)})`;
      return { kind: "failed", reason: "JOB_STOPPED", message, retryable: true };
    }
    return failureOf(error);
  }
}

/** How an error that ended a job is reported; the stack of an unexpected one goes to the job's log. */
function failureOf(error: unknown): JobExit {
  if (error instanceof HeddleError) {
    const { reason, message, code } = error;
    return { kind: "failed", reason, message, retryable: retryableCodes.includes(code) };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
  return { kind: "failed", reason: "INTERNAL", message, retryable: false };
}

function parseInput(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const input: unknown = JSON.parse(text ?? "");
    if (typeof input === "object" && input !== null && !Array.isArray(input)) {
      return input as Record<string, unknown>;
    }
  } catch (cause) {
    throw inputInvalid(cause);
  }
  throw inputInvalid();
}

function inputInvalid(cause?: unknown): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "JOB_INPUT_INVALID",
    `${inputVariable} must be a JSON object: this program is started by the scheduler`,
    { cause },
  );
}

/** Resolves when the parent's end of the channel has it, or when there is no parent to tell. */
function tellParent(host: NodeJS.Process, exit: JobExit): Promise<void> {
  const message: ExitMessage = { heddleJobExit: exit };
  return new Promise((resolve) => {
    if (host.send === undefined || !host.connected) resolve();
    else host.send(message, () => resolve());
  });
}
