import { readLayers } from "@heddle/artifact";
import { HeddleError } from "@heddle/base";
import type {
  FreezeRequest,
  RestoreRequest,
  SnapshotLayer,
  SnapshotRequest,
} from "@heddle/proto/parameter-server";
import type { CallContext } from "@heddle/rpc";
import type { CallTurn, Course } from "../course/course.ts";
import type { FrozenShard } from "./frozen.ts";
import { type Keeper, stepOrder } from "../keeper.ts";
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

/** Handlers of cuts: taken at once, written while steps go on, returned to. */
export function cutHandlers(deps: CutDeps, keeper: Keeper) {
  const { objects } = deps;
  let cut: Cut | undefined;
  /** The encoder makes one file at a time: one that was given up ends first. */
  let writing: Promise<unknown> = Promise.resolve();

  const giveUp = (why: string): void => {
    cut?.stop.abort(givenUp(cut.step, why));
    cut?.frozen.release();
    cut = undefined;
  };
  /** Waits until every push up to the step is applied, where more than one may be under way. */
  const take = async (
    { fence, step, since }: { fence: bigint; step: number; since?: number | undefined },
    signal: AbortSignal,
  ): Promise<Cut> => {
    const ask = (course: Course): CallTurn => course.cutTurn(step);
    const { run } = await keeper.turn({ fence, what: `a cut at step ${step}`, ask }, signal);
    giveUp(`a cut at step ${step} was taken`);
    const frozen = run.shard.freeze(since);
    run.course.copied(step);
    return (cut = { step, since, frozen, stop: new AbortController() });
  };

  return {
    freeze: async ({ fence, step: at, sinceStep }: FreezeRequest, { signal }: CallContext) => {
      keeper.run(fence);
      const [step, since] = [Number(at), sinceStep === undefined ? undefined : Number(sinceStep)];
      // A repeated call finds the cut it made, even when steps were applied since.
      if (cut?.step !== step || cut.since !== since) await take({ fence, step, since }, signal);
      return {};
    },
    snapshot: async (
      { fence, step: at, objectPrefix }: SnapshotRequest,
      { signal }: CallContext,
    ) => {
      const { request } = keeper.run(fence);
      const step = Number(at);
      const own = cut?.step === step ? cut : await take({ fence, step }, signal);
      own.saved ??= inTurn(() => saveCut(deps, own, request, objectPrefix));
      const { info, rows } = await own.saved;
      keeper.run(fence);
      return { object: { ...info, bytes: BigInt(info.bytes) }, rows: BigInt(rows) };
    },
    restore: async (request: RestoreRequest) => {
      const { fence, step, objects: files, increments, lossSum } = request;
      const { shard } = keeper.run(fence);
      giveUp("the shard returned to another");
      const layers = files.length === 0 ? [] : [{ objects: files }, ...increments];
      const restoring = shard.startRestore();
      await readLayers(layers.map(sourcesOf), restoring);
      // Reading took a while: a newer attempt may have taken over.
      const { course, returnTo } = keeper.run(fence);
      course.refuseAll(stepOrder("a push from before a return", Number(step)));
      if (files.length === 0) shard.reset();
      else restoring.finish(Number(step));
      returnTo(Number(step), lossSum);
      keeper.open();
      return { rows: BigInt(shard.rows) };
    },
  };

  function sourcesOf({ objects: files }: Pick<SnapshotLayer, "objects">) {
    return files.map(({ name, sha256 }) => ({ name, chunks: objects.stream(name, sha256) }));
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = writing.then(work);
    writing = done.catch(() => undefined);
    return done;
  }
}

function givenUp(step: number, why: string): HeddleError {
  return new HeddleError(
    "ABORTED",
    "SNAPSHOT_GIVEN_UP",
    `the snapshot of step ${step} was given up: ${why}; take a new cut`,
    { metadata: { step: String(step) } },
  );
}
