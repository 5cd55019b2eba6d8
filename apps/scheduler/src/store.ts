import { HeddleError } from "@heddle/base";
import {
  type Aggregates,
  type ChangeContext,
  collectionsOf,
  type Known,
  listAll,
  type Outbox,
  type StoreDeps,
} from "@heddle/store";
import type { PipelineState } from "./pipelines/pipeline.ts";
import { runEvents } from "./runs/run-events.ts";
import { runId, type RunState } from "./runs/run-state.ts";

export type KnownRun = Known<RunState>;

/** Pipeline runs: every change is one write with its events, and wakes who watches. */
export interface RunStore {
  /** @throws {HeddleError} ALREADY_EXISTS AGGREGATE_EXISTS when another request created it. */
  create(run: RunState, context: ChangeContext): Promise<KnownRun>;
  /**
   * Changes a run by a pure decision; the same state again writes nothing but a raised fence.
   *
   * @param fence the driver's token; absent for changes asked for by people.
   * @throws {HeddleError} NOT_FOUND UNKNOWN_PIPELINE_RUN; ABORTED FENCED when another scheduler drives it.
   */
  change(
    id: string,
    decide: (run: RunState) => RunState,
    context: ChangeContext,
    fence?: number,
  ): Promise<KnownRun>;
  find(id: string): Promise<KnownRun | undefined>;
  /** @throws {HeddleError} NOT_FOUND UNKNOWN_PIPELINE_RUN. */
  get(id: string): Promise<KnownRun>;
  /** Runs of one pipeline, or all. */
  list(pipeline?: string): Promise<readonly KnownRun[]>;
  /** Calls `wake` after each change of that run in this process, and at each `touch`, until the signal aborts. */
  onChange(id: string, wake: () => void, signal: AbortSignal): void;
  /** Something that is shown of the run and not kept has changed: its progress. */
  touch(id: string): void;
}

export interface SchedulerStore {
  readonly pipelines: Aggregates<PipelineState>;
  readonly runs: RunStore;
  readonly outboxes: readonly Outbox[];
}

export function openSchedulerStore(deps: StoreDeps): SchedulerStore {
  const open = collectionsOf(deps);
  const pipelines = open<PipelineState>("pipeline", "pipelines");
  const runs = open<RunState>("pipeline run", "pipeline-runs");
  return { pipelines, runs: openRuns(runs), outboxes: [pipelines.outbox, runs.outbox] };
}

const pageMax = 1_000;

function openRuns(runs: Aggregates<RunState>): RunStore {
  const listeners = new Map<string, Set<() => void>>();
  const touch = (id: string): void => listeners.get(id)?.forEach((wake) => wake());
  const get = async (id: string): Promise<KnownRun> => {
    const known = await runs.get(id);
    if (known === undefined) throw unknownRun(id);
    return known;
  };
  return {
    create: (run, context) =>
      runs.create(runId(run), { state: run, events: runEvents(undefined, run) }, context),
    change: async (id, decide, context, fence) => {
      await get(id);
      const changed = await runs.update(
        id,
        (run) => {
          const state = decide(run);
          return { state, events: runEvents(run, state) };
        },
        context,
        fence === undefined ? {} : { fence },
      );
      touch(id);
      return changed;
    },
    find: (id) => runs.get(id),
    get,
    list: (pipeline) => {
      const prefix = pipeline === undefined ? {} : { prefix: `${pipeline}/` };
      return listAll(runs, { ...prefix, limit: pageMax });
    },
    onChange: (id, wake, signal) => {
      if (signal.aborted) return;
      const known = listeners.get(id) ?? new Set();
      listeners.set(id, known.add(wake));
      const leave = (): void => {
        known.delete(wake);
        if (known.size === 0) listeners.delete(id);
      };
      signal.addEventListener("abort", leave, { once: true });
    },
    touch,
  };
}

function unknownRun(id: string): HeddleError {
  return new HeddleError(
    "NOT_FOUND",
    "UNKNOWN_PIPELINE_RUN",
    `there is no pipeline run ${id}: \`heddle runs\` lists them`,
    { metadata: { pipelineRun: id } },
  );
}
