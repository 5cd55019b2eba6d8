import { AssertionFailed, backoffMs, defaultBackoff, isHeddleError, messageOf } from "@heddle/base";
import { runEnded } from "../runs/run-state.ts";
import type { KnownRun } from "../store.ts";
import { driveSteps } from "./drive-steps.ts";
import { type DrivenRun, type DriverDeps, takeOver } from "./driven-run.ts";
import { begin } from "./parent.ts";

/** Drives pipeline runs, those of one pipeline one after another. */
export interface Driver extends AsyncDisposable {
  /** Takes a run over and drives it to its end, once the runs of its pipeline before it have ended. */
  drive(id: string, pipeline: string): void;
}

/** Starts driving; the runs that an earlier scheduler left are the first, oldest first. */
export async function startDriver(deps: DriverDeps): Promise<Driver> {
  const closing = new AbortController();
  /** By pipeline: the last of its runs that are driven or wait for it. */
  const queues = new Map<string, { readonly id: string; readonly ended: Promise<void> }>();
  const driven = new Set<string>();
  const driveAlone = async (id: string): Promise<void> => {
    driven.add(id);
    await driveUntilEnded(id, deps, closing.signal);
    driven.delete(id);
  };
  const drive: Driver["drive"] = (id, pipeline) => {
    const before = queues.get(pipeline);
    if (before !== undefined && !driven.has(id)) deps.waits.say(id, `it follows ${before.id}`);
    const mine = { id, ended: (before?.ended ?? Promise.resolve()).then(() => driveAlone(id)) };
    queues.set(pipeline, mine);
    void mine.ended.then(() => {
      if (queues.get(pipeline) === mine) queues.delete(pipeline);
    });
  };
  const left = (await deps.runs.list()).filter(({ state }) => !runEnded(state));
  // All of them at once, also those whose turn comes later: no job of an earlier scheduler may still count.
  await Promise.all(left.map(({ id }) => takeOver(id, deps)));
  for (const { id, state } of left.sort(bySubmission)) drive(id, state.pipeline);
  return {
    drive,
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await Promise.all([...queues.values()].map(({ ended }) => ended));
    },
  };
}

/** Oldest first. */
export const bySubmission = (a: KnownRun, b: KnownRun): number =>
  a.state.createdMs - b.state.createdMs || (a.id < b.id ? -1 : 1);

/** Starts over with a new fence when the store or a peer failed, and stops when another scheduler took over. */
async function driveUntilEnded(id: string, deps: DriverDeps, closing: AbortSignal): Promise<void> {
  const { clock, random, telemetry, waits } = deps;
  for (let failures = 1; !closing.aborted; failures++) {
    try {
      return await driveRun(id, deps, closing);
    } catch (error) {
      if (error instanceof AssertionFailed) throw error;
      if (closing.aborted) return;
      const facts = { pipelineRun: id, failures, error: messageOf(error) };
      if (isHeddleError(error, "FENCED")) {
        waits.say(id, "");
        return telemetry.log.warn(facts, "another scheduler drives this run");
      }
      telemetry.log.warn(facts, "driving a run failed, taking it over again");
      waits.say(id, messageOf(error));
      await clock.sleep(backoffMs(defaultBackoff, failures, random()), closing).catch(() => {
        // Closing ends the wait, and the loop with it.
      });
    }
  }
}

async function driveRun(id: string, deps: DriverDeps, closing: AbortSignal): Promise<void> {
  const { telemetry } = deps;
  const { state, change } = await takeOver(id, deps);
  deps.waits.say(id, "");
  if (runEnded(state)) return;
  const { model, pipeline, window, variant, traceparent } = state;
  const attributes = { "heddle.run": id, model, pipeline, window, variant };
  const parent = traceparent === undefined ? {} : { parent: traceparent };
  await telemetry.span("pipeline-run", { ...parent, attributes }, async () => {
    const run: DrivenRun = { id, change };
    await begin(run, deps, closing);
    await driveSteps(run, deps, closing);
  });
}
