import { HeddleError } from "@heddle/base";
import type { ModelDefinition, Training } from "@heddle/sdk";
import type { Attempt } from "../attempt.ts";
import type { Start } from "../cuts/start.ts";
import type { TrainDeps } from "../deps.ts";
import { trainBounded } from "../loop/bounded-loop.ts";
import { type LoopOptions, train } from "../loop/loop.ts";
import { shareOf } from "../loop/micro-batches.ts";
import type { Progress } from "../loop/progress.ts";
import { countCalls, countSteps } from "../meters/queues.ts";
import type { Bounds, Wire } from "../wire/wire.ts";

/** A learner ready to train beside its shards. */
export interface GangMember extends AsyncDisposable {
  readonly wire: Wire;
  /** This learner's share of the steps from the start to the run's end, in the mode of the definition. */
  train(
    told: Pick<LoopOptions, "onStep" | "onCut" | "cpuSeconds">,
    signal: AbortSignal,
  ): Promise<Progress>;
}

/** @throws {HeddleError} FAILED_PRECONDITION GANG_INCOMPLETE, TOO_MANY_LEARNERS. */
export async function joinGang(
  deps: TrainDeps,
  attempt: Attempt,
  { progress, subject }: Start,
  signal: AbortSignal,
): Promise<GangMember> {
  const { data, stages, definition, run, fence, learner, learners } = attempt;
  const { lag, microBatches = 1, batchSize, seed } = definition.training;
  const { earlyStopping } = definition.training;
  checkLearners(definition, learners);
  const bounds = boundsOf(definition.training);
  const { snapshotSteps } = bounds ?? definition.training;
  await using opening = new AsyncDisposableStack();
  const shards = Math.max(1, attempt.shards);
  const plan = { inputs: definition.inputs, fit: subject.fit, batchSize, seed, shards };
  const batches = data.examples.batches(plan, progress.cursor, stages);
  const network = opening.use(await deps.compute.open(definition));
  const addresses = await shardAddresses(deps, attempt.shards, signal);
  const { tables, dense } = network;
  const who = { run, fence, learner, learners };
  const what = { lag, microBatches, tables, dense, ...(bounds && { bounds }) };
  const opened = opening.use(await deps.openWire({ ...who, ...what }, addresses));
  const { queues } = deps.meters;
  const wire = countCalls(opened, queues);
  const options = {
    learner: attempt.job,
    ...{ batches, wire, network: countSteps(network, queues), stages, snapshotSteps },
    ...(earlyStopping && { earlyStopping }),
    ...(data.log && { log: data.log }),
    aroundStep: <T>(step: number, act: () => Promise<T>) =>
      step % deps.traceEverySteps === 0
        ? deps.telemetry.span("step", { attributes: { "heddle.step": step } }, act)
        : act(),
  };
  const own = shareOf(microBatches, learner, learners);
  const open = opening.move();
  return {
    wire,
    train: (told, stop) =>
      bounds === undefined
        ? train({ ...options, ...told, lag, microBatches, own }, progress, stop)
        : trainBounded({ ...options, ...told, bounds, number: learner, learners }, progress, stop),
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  };
}

/** What bounds the overlap of updates; undefined in exact mode. */
export function boundsOf({ mode, snapshotSteps }: Training): Bounds | undefined {
  if (mode?.kind !== "bounded") return undefined;
  const { staleness, inFlight, pushesPerSecond = 0, rowAge = 0 } = mode;
  // Two intervals lie behind the newest snapshot while the next one is written: together they are what may be lost.
  const cutSteps = Math.max(1, Math.floor(snapshotSteps / 2));
  const given = { staleness, inFlight, pushesPerSecond, snapshotSteps: cutSteps };
  return { ...given, ...(rowAge > 0 && { rowAge }) };
}

/** @throws {HeddleError} FAILED_PRECONDITION TOO_MANY_LEARNERS when some would have nothing to do. */
function checkLearners({ name, training }: ModelDefinition, learners: number): void {
  const { mode, microBatches = 1 } = training;
  const [most, what] =
    mode?.kind === "bounded"
      ? [mode.inFlight, "updates in flight (training.mode.inFlight)"]
      : [microBatches, "micro-batches of a step (training.microBatches)"];
  if (learners <= most) return;
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "TOO_MANY_LEARNERS",
    `${learners} learners cannot share the ${most} ${what} of model ${name}: give its pipeline's train step at most ${most} learners, or raise that number`,
    { metadata: { learners: String(learners), learnersMax: String(most) } },
  );
}

async function shardAddresses(
  { scheduler }: TrainDeps,
  shards: number,
  signal: AbortSignal,
): Promise<string[]> {
  if (shards === 0) return [];
  const gang = await scheduler.awaitGang(signal);
  return Array.from({ length: shards }, (_, n) => {
    const address = gang[`shard-${n}`];
    if (address !== undefined) return address;
    throw new HeddleError(
      "FAILED_PRECONDITION",
      "GANG_INCOMPLETE",
      `the gang has no shard-${n} of ${shards}; it has ${Object.keys(gang).join(", ")}: start one job for each shard`,
    );
  });
}
