import { HeddleError, messageOf } from "@heddle/base";

export function jobExists(id: string): HeddleError {
  return new HeddleError(
    "ALREADY_EXISTS",
    "JOB_EXISTS",
    `job ${id} is running already: watch that one`,
  );
}

export function programUnknown(program: string, known: readonly string[]): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "PROGRAM_UNKNOWN",
    `there is no program ${program}; there are ${known.join(", ")}`,
  );
}

export function inputTooLarge(id: string, bytes: number, bytesMax: number): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "JOB_INPUT_TOO_LARGE",
    `the input of job ${id} has ${bytes} bytes; at most ${bytesMax}: store it as an object and pass its name`,
  );
}

export function notStarted(id: string, cause: unknown): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "JOB_NOT_STARTED",
    `the system did not start job ${id} (${messageOf(cause)}); check memory and process limits, then retry`,
    { cause },
  );
}

export function jobsClosed(id: string): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "JOBS_CLOSED",
    `job ${id} comes too late: the host is stopping`,
  );
}
