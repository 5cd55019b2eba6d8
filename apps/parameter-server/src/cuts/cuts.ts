import { startTurns } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import type { FreezeRequest, SnapshotRequest } from "@heddle/proto/parameter-server";
import type { CallContext } from "@heddle/rpc";
import type { CallTurn, Course } from "../course/course.ts";
import type { FrozenShard } from "./frozen.ts";
import type { Keeper } from "../run/keeper.ts";
import { snapshotGivenUp } from "../run/refusals.ts";
import { restoreHandler } from "./restore.ts";
import { type CutDeps, saveCut, type SavedCut } from "./save-cut.ts";

/** The one cut that a shard has. */
interface Cut {
  readonly step: number;
  readonly since: number | undefined;
  readonly frozen: FrozenShard;
  readonly stop: AbortController;
  /** Its writing; once for all calls that ask for it. */
  saved?: Promise<SavedCut>;
}

interface CutToTake {
  readonly fence: bigint;
  readonly step: number;
  readonly since?: number | undefined;
  /** Whether updates after it wait until it is asked for without this. */
  readonly hold?: boolean;
}

/** Handlers of cuts: taken at once, written while steps go on, returned to. */
export function cutHandlers(deps: CutDeps, keeper: Keeper) {
  const { objects } = deps;
  let cut: Cut | undefined;
  // The encoder makes one file at a time: one that was given up ends first.
  const inTurn = startTurns();

  const giveUp = (why: string): void => {
    cut?.stop.abort(snapshotGivenUp(cut.step, why));
    cut?.frozen.release();
    cut = undefined;
  };
  /** Waits until every push up to the step is applied, where more than one may be under way. */
  const take = async (
    { fence, step, since, hold = false }: CutToTake,
    signal: AbortSignal,
  ): Promise<Cut> => {
    const ask = (course: Course): CallTurn => course.cutTurn(step);
    const what = `a cut at step ${step}`;
    const { run } = await keeper.turn({ fence, what, ask }, signal);
    giveUp(`${what} was taken`);
    const frozen = run.shard.freeze(since);
    run.course.copied(step, hold);
    return (cut = { step, since, frozen, stop: new AbortController() });
  };

  return {
    freeze: async (request: FreezeRequest, { signal }: CallContext) => {
      const { fence, sinceStep, hold } = request;
      const { course } = keeper.run(fence);
      const [step, since] = [Number(request.step), numberOf(sinceStep)];
      // A repeated call finds the cut it made, even when steps were applied since.
      if (cut?.step === step && cut.since === since) course.copied(step, hold);
      else await take({ fence, step, since, hold }, signal);
      failpoint("parameter-server.freeze.after-copy");
      return {};
    },
    snapshot: async ({ fence, step: at, objectPrefix }: SnapshotRequest, call: CallContext) => {
      const { request } = keeper.run(fence);
      const step = Number(at);
      const own = cut?.step === step ? cut : await take({ fence, step }, call.signal);
      own.saved ??= inTurn(() => saveCut(deps, own, request, objectPrefix));
      failpoint("parameter-server.snapshot.before-write");
      const { info, rows } = await own.saved;
      failpoint("parameter-server.snapshot.after-write");
      keeper.run(fence);
      return { object: { ...info, bytes: BigInt(info.bytes) }, rows: BigInt(rows) };
    },
    restore: restoreHandler(objects, keeper, () => giveUp("the shard returned to another")),
  };
}

const numberOf = (step: bigint | undefined): number | undefined =>
  step === undefined ? undefined : Number(step);
