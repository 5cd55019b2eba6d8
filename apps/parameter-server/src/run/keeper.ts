import type { ConfigureRequest } from "@heddle/proto/parameter-server";
import { openChangeSignal } from "./change-signal.ts";
import type { CallTurn, Course } from "../course/course.ts";
import { declarationDigest } from "./declaration.ts";
import { type KeptRun, type KeptRunOptions, openKeptRun } from "./kept-run.ts";
import {
  fenced,
  notConfigured,
  pushOfLost,
  runDiffers,
  shardReplaced,
  stalePush,
  stepOrder,
  unknownMicroBatch,
} from "./refusals.ts";
import type { Told } from "./rejoin.ts";

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
   * @throws {HeddleError} as `run`; INVALID_ARGUMENT UNKNOWN_MICRO_BATCH; FAILED_PRECONDITION STEP_ORDER; ABORTED STALE_PUSH,
   *   SHARD_REPLACED; the signal's reason when the caller gives up.
   */
  turn(call: StepCall, signal: AbortSignal): Promise<{ run: KeptRun; turn: "now" | "repeated" }>;
  /**
   * For a learner of a gang that lost a shard, whose place this one took: waits until all learners are back.
   *
   * @throws {HeddleError} as `run`; ABORTED SHARD_REPLACED; INVALID_ARGUMENT REJOIN_INVALID; the signal's reason when the caller gives up.
   */
  rejoin(fence: bigint, life: number, told: Told, signal: AbortSignal): Promise<KeptRun>;
  /** Fencing token of the attempt that is obeyed. */
  readonly fence: bigint;
  /** The run, if there is one, whoever asks. */
  readonly kept: KeptRun | undefined;
}

/** A call that has its place in the order of steps. */
interface StepCall {
  readonly fence: bigint;
  /** For messages. */
  readonly what: string;
  /** Life of the shard that a pull is meant for; any when absent. */
  readonly life?: number;
  /** Life of the shard that a push was computed from. */
  readonly stateLife?: number;
  readonly microBatch?: number;
  readonly ask: (course: Course) => CallTurn;
}

export function openKeeper(options: Omit<KeptRunOptions, "onChange">): Keeper {
  const { life } = options;
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
    rejoin: async (token, meant, told, signal) => {
      const { rejoin } = run(token);
      if (meant !== life) throw shardReplaced(meant, life);
      rejoin(told);
      for (;;) {
        const current = run(token);
        if (current.isWhole) return current;
        await change.next(signal);
      }
    },
    turn: async (call, signal) => {
      for (;;) {
        const current = run(call.fence);
        const turn = turnOf(call, current, life);
        if (turn !== "wait") return { run: current, turn };
        await change.next(signal);
      }
    },
  };
}

/** @throws {HeddleError} as `turn`, but for those of `run`. */
function turnOf(call: StepCall, current: KeptRun, own: number): "now" | "repeated" | "wait" {
  const { what, life = own, stateLife = own, microBatch = 0, ask } = call;
  if (life !== own) throw shardReplaced(life, own);
  if (microBatch >= current.microBatches) throw unknownMicroBatch(microBatch, current);
  const { course, isWhole } = current;
  const turn = isWhole ? ask(course) : "wait";
  if (turn === "wait" || turn === "repeated") return turn;
  // What it read was a process that is lost: nobody knows how many pushes lie between that state and this one's.
  const isOfLost = stateLife !== own;
  if (isOfLost || turn === "stale") {
    course.refusedStale();
    throw isOfLost ? pushOfLost(what, current) : stalePush(what, current);
  }
  if (turn === "refuse") throw stepOrder(what, course.applied);
  return turn;
}
