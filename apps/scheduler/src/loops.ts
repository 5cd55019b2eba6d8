import {
  AssertionFailed,
  backoffMs,
  defaultBackoff,
  isHeddleError,
  messageOf,
  orAborted,
  present,
} from "@heddle/base";
import type { Histogram } from "@heddle/telemetry";
import { type AttemptDeps, runAttempt } from "./attempts/attempt.ts";
import { isOnline } from "./pipelines/pipeline.ts";
import {
  attemptFailed,
  attemptsLost,
  attemptStarted,
  begun,
  liveAttempt,
  readySteps,
  stepOf,
} from "./runs/pipeline-run.ts";
import { type AttemptState, type Failure, runEnded, type RunState } from "./runs/run-state.ts";
import { needOf, type Slots } from "./attempts/slots.ts";
import { liveVersion } from "./steps/work.ts";
import type { KnownRun, RunStore } from "./store.ts";

export interface DriverDeps extends AttemptDeps {
  readonly runs: RunStore;
  readonly random: () => number;
  readonly slots: Slots;
  readonly attemptSeconds: Histogram;
}

/** Drives pipeline runs, those of one pipeline one after another. */
export interface Driver extends AsyncDisposable {
  /** Takes a run over and drives it to its end, once the runs of its pipeline before it have ended. */
  drive(id: string, pipeline: string): void;
}

/** Starts driving; the runs that an earlier scheduler left are the first, oldest first. */
export async function startDriver(deps: DriverDeps): Promise<Driver> {
  const closing = new AbortController();
  const queues = new Map<string, Promise<void>>();
  const drive: Driver["drive"] = (id, pipeline) => {
    const before = queues.get(pipeline) ?? Promise.resolve();
    const mine = before.then(() => driveUntilEnded(id, deps, closing.signal));
    queues.set(pipeline, mine);
    void mine.then(() => {
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
      await Promise.all(queues.values());
    },
  };
}

export const bySubmission = (a: KnownRun, b: KnownRun): number =>
  a.state.createdMs - b.state.createdMs || (a.id < b.id ? -1 : 1);

/** Starts over with a new fence when the store or a peer failed, and stops when another scheduler took over. */
async function driveUntilEnded(id: string, deps: DriverDeps, closing: AbortSignal): Promise<void> {
  const { clock, random, telemetry } = deps;
  for (let failures = 1; !closing.aborted; failures++) {
    try {
      return await driveRun(id, deps, closing);
    } catch (error) {
      if (error instanceof AssertionFailed) throw error;
      if (closing.aborted) return;
      const facts = { pipelineRun: id, failures, error: messageOf(error) };
      if (isHeddleError(error, "FENCED")) {
        return telemetry.log.warn(facts, "another scheduler drives this run");
      }
      telemetry.log.warn(facts, "driving a run failed, taking it over again");
      await clock.sleep(backoffMs(defaultBackoff, failures, random()), closing).catch(() => {
        // Closing ends the wait, and the loop with it.
      });
    }
  }
}

async function driveRun(id: string, deps: DriverDeps, closing: AbortSignal): Promise<void> {
  const { telemetry } = deps;
  const { state, change } = await takeOver(id, deps);
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

/** Raises the run's fence, so that no other scheduler can write to it, and notes what was under way as lost. */
async function takeOver(
  id: string,
  { runs, clock, telemetry }: DriverDeps,
): Promise<DrivenRun & Pick<KnownRun, "state">> {
  const before = await runs.get(id);
  const fence = before.fence + 1;
  const change: DrivenRun["change"] = (what, decide) =>
    runs.change(id, decide, changeContext(fence, what, telemetry.traceparent()), fence);
  if (runEnded(before.state)) return { id, change, state: before.state };
  const { state } = await change("taken-over", (run) => attemptsLost(run, clock.now()));
  return { id, change, state };
}

interface DrivenRun {
  readonly id: string;
  /** Records a change under this driver's fence; `what` is unique to the change. */
  readonly change: (what: string, decide: (run: RunState) => RunState) => Promise<KnownRun>;
}

function changeContext(fence: number, what: string, traceparent: string | undefined) {
  const trace = traceparent === undefined ? {} : { traceparent };
  return { requestId: `drive/${fence}/${what}`, request: what, actor: "scheduler", ...trace };
}

/** Fixes the run's parent. */
async function begin(run: DrivenRun, deps: DriverDeps, signal: AbortSignal): Promise<void> {
  const { state } = await deps.runs.get(run.id);
  if (state.parent !== undefined || runEnded(state)) return;
  const before = isOnline(state.definition) ? await versionBefore(state, deps) : undefined;
  const parent = before ?? (await liveVersion({ run: state, ...deps, signal }))?.version ?? "";
  await run.change("begun", (now) => begun(now, parent));
}

/**
 * What learns from the log goes on from the version of the windows before, whatever its verdict: a version that the gate refused is not
 * served, and what it learnt is not lost. Undefined before the first.
 */
async function versionBefore(
  { pipeline, window, variant }: RunState,
  { runs }: DriverDeps,
): Promise<string | undefined> {
  const made = (await runs.list(pipeline)).flatMap(({ state }) => {
    const version = state.steps.find(({ kind }) => kind === "train")?.outputs["version"];
    const number = Number(state.window);
    const before = state.variant === variant && number < Number(window);
    return before && version !== undefined ? [{ number, version }] : [];
  });
  return made.sort((a, b) => b.number - a.number)[0]?.version;
}

/** Keeps every ready step driven until the run has ended; then all that still runs is stopped. */
async function driveSteps(run: DrivenRun, deps: DriverDeps, closing: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const signal = AbortSignal.any([closing, ended.signal]);
  const active = new Map<string, Promise<void>>();
  let broken: { readonly error: unknown } | undefined;
  let wake = Promise.withResolvers<void>();
  deps.runs.onChange(run.id, () => wake.resolve(), signal);
  const start = (step: string): void => {
    const driven = driveStep(run, step, deps, signal)
      .catch((error: unknown) => {
        if (!signal.aborted || error instanceof AssertionFailed) broken ??= { error };
      })
      .finally(() => {
        active.delete(step);
        wake.resolve();
      });
    active.set(step, driven);
  };
  try {
    for (;;) {
      wake = Promise.withResolvers();
      const { state } = await deps.runs.get(run.id);
      if (broken !== undefined) throw broken.error;
      if (runEnded(state)) return;
      for (const { step } of readySteps(state)) if (!active.has(step)) start(step);
      await orAborted(wake.promise, closing);
    }
  } finally {
    ended.abort();
    await Promise.all(active.values());
  }
}

/** Makes attempts of a step until it has succeeded, given up, or may not go on. */
async function driveStep(
  run: DrivenRun,
  name: string,
  deps: DriverDeps,
  signal: AbortSignal,
): Promise<void> {
  const { runs, clock, slots, telemetry } = deps;
  const { state } = await runs.get(run.id);
  const definition = present(state.definition.steps[name], `step ${name}`);
  const attributes = { "heddle.run": run.id, step: name, kind: definition.kind };
  await telemetry.span(`step ${definition.kind}`, { attributes }, async () => {
    for (;;) {
      const { state: now } = await runs.get(run.id);
      const ready = readySteps(now).find(({ step }) => step === name);
      if (ready === undefined) return;
      await clock.sleep(Math.max(0, (ready.retryAtMs ?? 0) - clock.now()), signal);
      using _room = await slots.acquire(needOf(definition), signal);
      await makeAttempt(run, name, deps, signal);
    }
  });
}

async function makeAttempt(
  run: DrivenRun,
  step: string,
  deps: DriverDeps,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, telemetry } = deps;
  const number =
    (stepOf((await deps.runs.get(run.id)).state, step).attempts.at(-1)?.number ?? 0) + 1;
  const { state } = await run.change(`${step}/${number}/started`, (now) =>
    readySteps(now).some((ready) => ready.step === step)
      ? attemptStarted(now, step, clock.now())
      : now,
  );
  const attempt = liveAttempt(state, step, number);
  if (attempt === undefined) return;
  const { kind } = stepOf(state, step);
  const attributes = { "heddle.run": run.id, step, kind, attempt: number, fence: attempt.fence };
  await telemetry.span(`attempt ${kind}`, { attributes }, async () => {
    const started = clock.monotonicMs();
    const failure = await runAttempt(
      { id: run.id, run: state, step, attempt, change: run.change },
      deps,
      signal,
    );
    const seconds = (clock.monotonicMs() - started) / 1_000;
    note(run.id, step, attempt, failure, seconds, kind, deps);
    if (failure === undefined) return;
    await run.change(`${step}/${number}/failed`, (now) =>
      attemptFailed(now, step, number, failure, clock.now(), random()),
    );
  });
}

function note(
  id: string,
  step: string,
  { number }: AttemptState,
  failure: Failure | undefined,
  seconds: number,
  kind: string,
  { telemetry, attemptSeconds }: DriverDeps,
): void {
  const outcome = failure?.reason ?? "SUCCEEDED";
  attemptSeconds.record(seconds, { kind, outcome });
  const facts = { pipelineRun: id, step, attempt: number, seconds };
  if (failure === undefined) telemetry.log.info(facts, "attempt succeeded");
  else telemetry.log.warn({ ...facts, ...failure }, "attempt failed");
}
