import { HeddleError } from "@heddle/base";
import type { ConfigureRequest } from "@heddle/proto/parameter-server";
import { openChangeSignal } from "./change-signal.ts";
import type { CallTurn, Course } from "./course/course.ts";
import { declarationDigest } from "./declaration.ts";
import { type KeptRun, type KeptRunOptions, openKeptRun } from "./kept-run.ts";

/** Who may act on a shard's run, and when. */
export interface Keeper {
  /**
   * Takes a run, or the next attempt of it, whose fencing token is from now on the lowest obeyed.
   *
   * @throws {HeddleError} ABORTED FENCED; FAILED_PRECONDITION RUN_DIFFERS; INVALID_ARGUMENT DECLARATION_INVALID.
   */
  configure(request: ConfigureRequest): KeptRun;
  /**
   * For a learner that does not lead: waits until the leader of its attempt has restored.
   *
   * @throws {HeddleError} as `configure`; the signal's reason when the caller gives up.
   */
  join(request: ConfigureRequest, signal: AbortSignal): Promise<KeptRun>;
  /** The leader has restored: others may join. */
  open(): void;
  /** @throws {HeddleError} ABORTED FENCED; FAILED_PRECONDITION NOT_CONFIGURED. */
  run(fence: bigint): KeptRun;
  /**
   * Waits for a call's turn. What the caller does before its next await happens at that turn.
   *
   * @throws {HeddleError} as `run`; INVALID_ARGUMENT UNKNOWN_MICRO_BATCH; FAILED_PRECONDITION STEP_ORDER; ABORTED STALE_PUSH; the
   *   signal's reason when the caller gives up.
   */
  turn(call: StepCall, signal: AbortSignal): Promise<{ run: KeptRun; turn: "now" | "repeated" }>;
  /** Fencing token of the attempt that is obeyed. */
  readonly fence: bigint;
  /** The run, if there is one, whoever asks. */
  readonly kept: KeptRun | undefined;
}

/** A call that has its place in the order of steps. */
export interface StepCall {
  readonly fence: bigint;
  /** For messages. */
  readonly what: string;
  readonly microBatch?: number;
  readonly ask: (course: Course) => CallTurn;
}

export function openKeeper(options: Omit<KeptRunOptions, "onChange">): Keeper {
  const change = openChangeSignal();
  let fence = 0n;
  let digest = "";
  let kept: KeptRun | undefined;
  /** Whether the attempt with this fence has restored. */
  let isOpen = false;

  const run = (token: bigint): KeptRun => {
    if (token < fence) throw fenced(token, fence);
    if (kept === undefined || token > fence) throw notConfigured(token, fence);
    return kept;
  };
  return {
    get fence() {
      return fence;
    },
    get kept() {
      return kept;
    },
    run,
    configure: (request) => {
      if (request.fence < fence) throw fenced(request.fence, fence);
      const asked = declarationDigest(request);
      if (kept !== undefined && digest !== asked) throw runDiffers(kept.request, request);
      kept ??= openKeptRun(request, { ...options, onChange: change.changed });
      digest = asked;
      if (request.fence > fence) {
        kept.course.refuseAll(fenced(fence, request.fence));
        isOpen = false;
      }
      fence = request.fence;
      change.changed();
      return kept;
    },
    join: async (request, signal) => {
      for (;;) {
        if (request.fence < fence) throw fenced(request.fence, fence);
        if (kept !== undefined && isOpen && request.fence === fence) {
          if (declarationDigest(request) !== digest) throw runDiffers(kept.request, request);
          return kept;
        }
        await change.next(signal);
      }
    },
    open: () => {
      isOpen = true;
      change.changed();
    },
    turn: async ({ fence: token, what, microBatch = 0, ask }, signal) => {
      for (;;) {
        const current = run(token);
        if (microBatch >= current.microBatches) throw unknownMicroBatch(microBatch, current);
        const { course } = current;
        const turn = ask(course);
        if (turn === "refuse") throw stepOrder(what, course.applied);
        if (turn === "stale") {
          course.refusedStale();
          throw stalePush(what, current);
        }
        if (turn !== "wait") return { run: current, turn };
        await change.next(signal);
      }
    },
  };
}

/** What is asked does not fit the step the shard is at. */
export function stepOrder(what: string, applied: number): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "STEP_ORDER",
    `${what} is out of order: the shard is at step ${applied}; return to the last snapshot`,
    { metadata: { applied: String(applied) } },
  );
}

function stalePush(what: string, { request, course }: KeptRun): HeddleError {
  const staleness = request.bounds?.staleness ?? 0;
  return new HeddleError(
    "ABORTED",
    "STALE_PUSH",
    `${what} was computed from a state from before the bound: more than ${staleness} pushes were applied since, the shard is at ${course.applied}; nothing of it was applied: pull again and compute again`,
    { metadata: { stalenessMax: String(staleness), applied: String(course.applied) } },
  );
}

function unknownMicroBatch(microBatch: number, { request, microBatches }: KeptRun): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "UNKNOWN_MICRO_BATCH",
    `there is no micro-batch ${microBatch} in a step of run ${request.run}, which has ${microBatches}, from 0; nothing was applied: all learners of a run must have one definition`,
    { metadata: { microBatch: String(microBatch), microBatches: String(microBatches) } },
  );
}

function fenced(token: bigint, fence: bigint): HeddleError {
  return new HeddleError(
    "ABORTED",
    "FENCED",
    `this shard obeys attempt ${fence}; attempt ${token} was replaced and must stop`,
    { metadata: { fence: String(fence) } },
  );
}

function notConfigured(token: bigint, fence: bigint): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "NOT_CONFIGURED",
    `attempt ${token} has not configured this shard (it obeys ${fence}): call Configure first`,
  );
}

function runDiffers(now: ConfigureRequest, asked: ConfigureRequest): HeddleError {
  const what = now.run === asked.run ? `another declaration of run ${now.run}` : `run ${asked.run}`;
  return new HeddleError(
    "FAILED_PRECONDITION",
    "RUN_DIFFERS",
    `this shard keeps shard ${now.shard} of ${now.shards} of run ${now.run} and cannot take ${what}: start a shard of its own for it`,
  );
}
