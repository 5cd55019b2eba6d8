import { type Clock, HeddleError } from "@heddle/base";
import {
  type Aggregate,
  type Aggregates,
  type ChangeContext,
  type DocumentStore,
  type Known,
  openAggregates,
  type Outbox,
} from "@heddle/store";
import type { PipelineState } from "./pipeline.ts";
import { runEvents } from "./run-events.ts";
import { runId, type RunState } from "./run-state.ts";

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

export interface StoreDeps {
  readonly store: DocumentStore;
  readonly clock: Clock;
  readonly random: () => number;
}

export function openSchedulerStore({ store, clock, random }: StoreDeps): SchedulerStore {
  const pipelines = openAggregates(store.collection<Aggregate<PipelineState>>("pipelines"), {
    noun: "pipeline",
    clock,
    random,
  });
  const runs = openAggregates(store.collection<Aggregate<RunState>>("pipeline-runs"), {
    noun: "pipeline run",
    clock,
    random,
  });
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
    list: async (pipeline) => {
      const found: KnownRun[] = [];
      const prefix = pipeline === undefined ? {} : { prefix: `${pipeline}/` };
      for (let after: string | undefined; ;) {
        const from = after === undefined ? {} : { after };
        const page = await runs.list({ ...prefix, ...from, limit: pageMax });
        found.push(...page.items);
        if (page.next === undefined) return found;
        after = page.next;
      }
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
