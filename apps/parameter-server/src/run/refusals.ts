import { HeddleError } from "@heddle/base";
import type { ConfigureRequest } from "@heddle/proto/parameter-server";
import type { KeptRun } from "./kept-run.ts";

/** What is asked does not fit the step the shard is at. */
export function stepOrder(what: string, applied: number): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "STEP_ORDER",
    `${what} is out of order: the shard is at step ${applied}; return to the last snapshot`,
    { metadata: { applied: String(applied) } },
  );
}

export function stalePush(what: string, { request, course }: KeptRun): HeddleError {
  const staleness = request.bounds?.staleness ?? 0;
  return new HeddleError(
    "ABORTED",
    "STALE_PUSH",
    `${what} was computed from a state from before the bound: more than ${staleness} pushes were applied since, the shard is at ${course.applied}; nothing of it was applied: pull again and compute again`,
    { metadata: { stalenessMax: String(staleness), applied: String(course.applied) } },
  );
}

export function pushOfLost(what: string, { request, course }: KeptRun): HeddleError {
  return new HeddleError(
    "ABORTED",
    "STALE_PUSH",
    `${what} was computed from a state of a process that is lost, whose place this one took as shard ${request.shard}; nothing of it was applied: pull again and compute again`,
    { metadata: { applied: String(course.applied) } },
  );
}

export function shardReplaced(meant: number, life: number): HeddleError {
  return new HeddleError(
    "ABORTED",
    "SHARD_REPLACED",
    `the call is for life ${meant} of a shard, and this process is life ${life}: ask the scheduler for the gang's addresses`,
    { metadata: { meant: String(meant), life: String(life) } },
  );
}

export function unknownMicroBatch(
  microBatch: number,
  { request, microBatches }: KeptRun,
): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "UNKNOWN_MICRO_BATCH",
    `there is no micro-batch ${microBatch} in a step of run ${request.run}, which has ${microBatches}, from 0; nothing was applied: all learners of a run must have one definition`,
    { metadata: { microBatch: String(microBatch), microBatches: String(microBatches) } },
  );
}

export function fenced(token: bigint, fence: bigint): HeddleError {
  return new HeddleError(
    "ABORTED",
    "FENCED",
    `this shard obeys attempt ${fence}; attempt ${token} was replaced and must stop`,
    { metadata: { fence: String(fence) } },
  );
}

export function notConfigured(token: bigint, fence: bigint): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "NOT_CONFIGURED",
    `attempt ${token} has not configured this shard (it obeys ${fence}): call Configure first`,
  );
}

export function runDiffers(now: ConfigureRequest, asked: ConfigureRequest): HeddleError {
  const what = now.run === asked.run ? `another declaration of run ${now.run}` : `run ${asked.run}`;
  return new HeddleError(
    "FAILED_PRECONDITION",
    "RUN_DIFFERS",
    `this shard keeps shard ${now.shard} of ${now.shards} of run ${now.run} and cannot take ${what}: start a shard of its own for it`,
  );
}

/** A cut, or the return to one, that is over before it was done. */
export function snapshotGivenUp(step: number, why: string): HeddleError {
  return new HeddleError(
    "ABORTED",
    "SNAPSHOT_GIVEN_UP",
    `the snapshot of step ${step} was given up: ${why}; take a new cut`,
    { metadata: { step: String(step) } },
  );
}
