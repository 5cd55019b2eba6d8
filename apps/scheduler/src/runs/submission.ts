import { canonicalJson, contentName, HeddleError, isHeddleError } from "@heddle/base";
import { didYouMean } from "@heddle/config";
import type { ModelDefinition } from "@heddle/sdk";
import type { ChangeContext } from "@heddle/store";
import type { Limits } from "../config.ts";
import { nextPartition, windowNumber } from "../pipelines/partitions.ts";
import { isOnline } from "../pipelines/log-windows.ts";
import { parsePipeline, type PipelineState } from "../pipelines/pipeline.ts";
import { newRun } from "./pipeline-run.ts";
import { pipelineEvent } from "./run-events.ts";
import { runId } from "./run-state.ts";
import type { Clients } from "../peers.ts";
import type { SchedulerStore } from "../store.ts";

export interface SubmissionDeps {
  readonly store: SchedulerStore;
  readonly clients: Pick<Clients, "registry">;
  readonly config: Limits;
  readonly now: () => number;
}

/** Registers a pipeline, or a change of it for the runs submitted from now on; the same one again changes nothing. */
export async function applyPipeline(
  json: string,
  context: ChangeContext,
  { store, config }: SubmissionDeps,
): Promise<string> {
  const definition = parsePipeline(json, config);
  const { name } = definition;
  const digest = contentName(definition);
  const state: PipelineState = { definition, order: Object.keys(definition.steps), digest };
  const events = [pipelineEvent(name, digest)];
  if ((await store.pipelines.get(name)) === undefined) {
    try {
      await store.pipelines.create(name, { state, events }, context);
      return digest;
    } catch (error) {
      if (!isHeddleError(error, "AGGREGATE_EXISTS")) throw error;
    }
  }
  await store.pipelines.update(
    name,
    (known) => (sameContent(known, state) ? { state: known, events: [] } : { state, events }),
    context,
  );
  return digest;
}

export interface SubmitRequest {
  readonly pipeline: string;
  readonly window: string;
  readonly variant: string;
  readonly branches: Readonly<Record<string, string>>;
}

export interface Submitted {
  readonly pipelineRun: string;
  /** The run was there already, and keeps definitions that are no longer the newest. */
  readonly definitionsChanged: boolean;
}

/**
 * Creates the run of a window, or finds it.
 *
 * @throws {HeddleError} UNKNOWN_PIPELINE, WINDOW_INVALID, VARIANT_INVALID, RUN_DIFFERS, and what the
 *   registry says of the model's configuration.
 */
export async function submitRun(
  { pipeline, window, variant, branches }: SubmitRequest,
  context: ChangeContext,
  { store, clients, config, now }: SubmissionDeps,
): Promise<Submitted> {
  if (!/^([a-z0-9][a-z0-9_-]{0,63})?$/.test(variant)) throw variantInvalid(variant);
  const known = await store.pipelines.get(pipeline);
  if (known === undefined) throw await unknownPipeline(pipeline, store);
  const { definition, order } = known.state;
  const { model } = definition;
  const call = { timeoutMs: config.callMs };
  const { configuration, definitionJson } = await clients.registry.getConfiguration(
    { model },
    call,
  );
  if (isOnline(definition)) windowNumber(window);
  else nextPartition(window, (JSON.parse(definitionJson) as ModelDefinition).partitioning);

  const { traceparent } = context;
  const trace = traceparent === undefined ? {} : { traceparent };
  const submission = { model, window, variant, branches, definition, configuration, ...trace };
  const run = newRun(submission, order, now());
  const id = runId(run);
  try {
    await store.runs.create(run, context);
  } catch (error) {
    if (!isHeddleError(error, "AGGREGATE_EXISTS")) throw error;
  }
  // A repeated request finds the run as it is, too.
  const { state } = await store.runs.get(id);
  if (!sameContent(state.branches, branches)) throw runDiffers(id);
  const same = state.configuration === configuration && sameContent(state.definition, definition);
  return { pipelineRun: id, definitionsChanged: !same };
}

const sameContent = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);

/** There is no such pipeline: the answer names what there is. */
export async function unknownPipeline(
  pipeline: string,
  { pipelines }: Pick<SchedulerStore, "pipelines">,
): Promise<HeddleError> {
  const { items } = await pipelines.list({ limit: 100 });
  const names = items.map(({ id }) => id);
  const meant = didYouMean(pipeline, names);
  const known =
    names.length === 0 ? "nothing was applied here yet" : `there is ${names.join(", ")}`;
  return new HeddleError(
    "NOT_FOUND",
    "UNKNOWN_PIPELINE",
    `there is no pipeline "${pipeline}": ${meant === undefined ? `${known}; apply its definition first` : `did you mean "${meant}"?`}`,
    { metadata: { pipeline } },
  );
}

function variantInvalid(variant: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "VARIANT_INVALID",
    `variant "${variant}" must be up to 64 of a-z, 0-9, _ and -, and start with a letter or digit`,
  );
}

function runDiffers(id: string): HeddleError {
  return new HeddleError(
    "ALREADY_EXISTS",
    "RUN_DIFFERS",
    `pipeline run ${id} was submitted with other branches: give this one a variant of its own`,
    { metadata: { pipelineRun: id } },
  );
}
