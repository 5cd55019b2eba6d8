import { assert, present } from "@heddle/base";
import type { Version } from "@heddle/proto/registry";
import type { Step } from "@heddle/sdk";
import type { Limits } from "../config.ts";
import type { Clients } from "../peers.ts";
import { stepOf } from "../runs/run-steps.ts";
import type { Outputs, RunState } from "../runs/run-state.ts";

/** What a step knows when an attempt starts. */
export interface StepContext {
  readonly id: string;
  readonly run: RunState;
  readonly step: string;
  readonly clients: Clients;
  readonly config: Pick<Limits, "callMs" | "gateMs" | "publishMs">;
  readonly signal: AbortSignal;
}

/** A job's program and its own input; the scheduler adds what every job gets. */
export interface Member {
  readonly role: string;
  readonly program: "dataset" | "learner" | "learner-alone" | "shard" | "evaluation";
  readonly input: Readonly<Record<string, unknown>>;
}

/** What an attempt is: jobs (the leader first, whose result counts), or a call that is done. */
export type Work =
  | { readonly kind: "jobs"; readonly members: readonly Member[] }
  | { readonly kind: "done"; readonly outputs: Outputs };

export type StepOfKind<K extends Step["kind"]> = Extract<Step, { readonly kind: K }>;

/** An output of a step that has succeeded. */
export function outputOf(run: RunState, step: string, output: string): string {
  const value = stepOf(run, step).outputs[output];
  return present(value, `output ${output} of step ${step}`);
}

/** The step that another one names, which the pipeline's check has found to be of that kind. */
export function namedStep<K extends Step["kind"]>(
  run: RunState,
  name: string,
  kind: K,
): StepOfKind<K> {
  const step = present(run.definition.steps[name], `step ${name}`);
  assert(step.kind === kind, `step ${name} is of kind ${kind}`);
  return step as StepOfKind<K>;
}

/** The version that is live now. */
export async function liveVersion({
  run,
  clients,
  config,
  signal,
}: Pick<StepContext, "run" | "clients" | "config" | "signal">): Promise<Version | undefined> {
  const call = { timeoutMs: config.callMs, signal };
  return (await clients.registry.whatWasLive({ model: run.model }, call)).version;
}
