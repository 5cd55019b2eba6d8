import { HeddleError } from "@heddle/base";
import type { ConfigureRequest } from "@heddle/proto/parameter-server";
import { openChangeSignal } from "./change-signal.ts";
import { declarationDigest, declarationOf } from "./declaration.ts";
import { openShard, type Shard } from "./shard.ts";
import { openStepOrder, type StepOrder, type Turn } from "./step-order.ts";

/** The run a shard keeps, from its first Configure on. */
export interface KeptRun {
  readonly request: ConfigureRequest;
  readonly shard: Shard;
  readonly order: StepOrder;
}

/** Who may act on a shard's run, and when. */
export interface Keeper {
  /**
   * Takes a run, or the next attempt of it, whose fencing token is from now on the lowest obeyed.
   *
   * @throws {HeddleError} ABORTED FENCED; FAILED_PRECONDITION RUN_DIFFERS; INVALID_ARGUMENT DECLARATION_INVALID.
   */
  configure(request: ConfigureRequest): KeptRun;
  /** @throws {HeddleError} ABORTED FENCED; FAILED_PRECONDITION NOT_CONFIGURED. */
  run(fence: bigint): KeptRun;
  /**
   * Waits for a call's turn. What the caller does before its next await happens at that turn.
   *
   * @throws {HeddleError} as `run`; FAILED_PRECONDITION STEP_ORDER; the signal's reason when the caller gives up.
   */
  turn(call: StepCall, signal: AbortSignal): Promise<{ run: KeptRun; turn: "now" | "repeated" }>;
  /** Says that the order moved: calls that wait look again. */
  changed(): void;
  /** The run, if there is one, whoever asks. */
  readonly kept: KeptRun | undefined;
}

/** A call that has its place in the order of steps. */
export interface StepCall {
  readonly fence: bigint;
  /** For messages. */
  readonly what: string;
  readonly ask: (order: StepOrder) => Turn;
}

export function openKeeper(tableRowsMax: number): Keeper {
  const change = openChangeSignal();
  let fence = 0n;
  let digest = "";
  let kept: KeptRun | undefined;

  const run = (token: bigint): KeptRun => {
    if (token < fence) throw fenced(token, fence);
    if (kept === undefined || token > fence) throw notConfigured(token, fence);
    return kept;
  };
  return {
    get kept() {
      return kept;
    },
    run,
    changed: change.changed,
    configure: (request) => {
      if (request.fence < fence) throw fenced(request.fence, fence);
      const asked = declarationDigest(request);
      if (kept !== undefined && digest !== asked) throw runDiffers(kept.request, request);
      kept ??= {
        request,
        shard: openShard(declarationOf(request), tableRowsMax),
        order: openStepOrder(request.lag),
      };
      digest = asked;
      fence = request.fence;
      change.changed();
      return kept;
    },
    turn: async ({ fence: token, what, ask }, signal) => {
      for (;;) {
        const current = run(token);
        const turn = ask(current.order);
        if (turn === "refuse") throw stepOrder(what, current.order.applied);
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
