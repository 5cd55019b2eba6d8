import { AssertionFailed, orAborted, present } from "@heddle/base";
import { runAttempt } from "../attempts/attempt.ts";
import { needOf } from "../attempts/slots.ts";
import { attemptFailed, attemptStarted, readySteps } from "../runs/pipeline-run.ts";
import { type AttemptState, type Failure, runEnded } from "../runs/run-state.ts";
import { liveAttempt, stepOf } from "../runs/run-steps.ts";
import type { DrivenRun, DriverDeps } from "./driven-run.ts";

/** Keeps every ready step driven until the run has ended; then all that still runs is stopped. */
export async function driveSteps(
  run: DrivenRun,
  deps: DriverDeps,
  closing: AbortSignal,
): Promise<void> {
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
