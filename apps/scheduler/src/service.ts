import { type Clock, HeddleError } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import { type HeartbeatRequest, SchedulerService } from "@heddle/proto/scheduler";
import { type CallContext, type Handlers, implement, type Implementation } from "@heddle/rpc";
import { changeContextOf } from "@heddle/store";
import type { Limits } from "./config.ts";
import { type LiveAttempts, type LiveJob, parseJobId } from "./attempts/live-attempts.ts";
import { bySubmission, type Driver } from "./driver/driver.ts";
import type { Waits } from "./driver/waits.ts";
import { attemptSucceeded } from "./runs/pipeline-run.ts";
import { cancelled, resumed } from "./runs/run-end.ts";
import { fenced } from "./runs/run-steps.ts";
import { runMessage } from "./watching/run-message.ts";
import type { Clients } from "./peers.ts";
import type { SchedulerStore } from "./store.ts";
import { applyPipeline, submitRun, unknownPipeline } from "./runs/submission.ts";
import { watchRun } from "./watching/watch.ts";

export interface ServiceDeps {
  readonly store: SchedulerStore;
  readonly clients: Clients;
  readonly config: Limits;
  readonly clock: Clock;
  readonly live: LiveAttempts;
  readonly waits: Waits;
  /** Comes once the runs of an earlier scheduler are taken over. */
  readonly driver: Promise<Driver>;
  /** Aborts when the scheduler stops: watches end. */
  readonly closing: AbortSignal;
}

type Scheduler = Handlers<typeof SchedulerService, CallContext>;

const pageSizeDefault = 50;

/** The RPCs of the scheduler. */
export function schedulerService(deps: ServiceDeps): Implementation {
  return implement(SchedulerService, { ...forPeople(deps), ...forJobs(deps) });
}

type ForJobs = "heartbeat" | "awaitGang" | "complete";

function forPeople(deps: ServiceDeps): Omit<Scheduler, ForJobs> {
  const { store, clock, driver } = deps;
  const { runs } = store;
  const submission = { ...deps, now: () => clock.now() };
  return {
    applyPipeline: async (request, call) => ({
      digest: await applyPipeline(
        request.definitionJson,
        changeContextOf(request, call),
        submission,
      ),
    }),
    getPipeline: async ({ pipeline }) => {
      const known = await store.pipelines.get(pipeline);
      if (known === undefined) throw await unknownPipeline(pipeline, store);
      return { definitionJson: JSON.stringify(known.state.definition) };
    },
    submitRun: async (request, call) => {
      const { pipeline } = request;
      const submitted = await submitRun(request, changeContextOf(request, call), submission);
      failpoint("scheduler.submit.after-create");
      (await driver).drive(submitted.pipelineRun, pipeline);
      return submitted;
    },
    getPipelineRun: async ({ pipelineRun }) => ({
      run: runMessage(await runs.get(pipelineRun), deps),
    }),
    listPipelineRuns: async ({ pipeline, pageSize }) => {
      const known = [...(await runs.list(pipeline === "" ? undefined : pipeline))];
      const newest = known.sort(bySubmission).reverse();
      const size = pageSize === 0 ? pageSizeDefault : pageSize;
      return { runs: newest.slice(0, size).map((run) => runMessage(run, deps)) };
    },
    watchPipelineRun: (request, call) =>
      watchRun(request, AbortSignal.any([call.signal, deps.closing]), { ...deps, runs }),
    cancelRun: async (request, call) => {
      const { pipelineRun, reason } = request;
      const context = changeContextOf(request, call);
      await runs.change(pipelineRun, (run) => cancelled(run, reason, clock.now()), context);
      return {};
    },
    resumeRun: async (request, call) => {
      const { id, state } = await runs.change(
        request.pipelineRun,
        resumed,
        changeContextOf(request, call),
      );
      (await driver).drive(id, state.pipeline);
      return {};
    },
  };
}

function forJobs({ store, clock, live, config }: ServiceDeps): Pick<Scheduler, ForJobs> {
  const { runs } = store;
  const liveJob = async ({ job, fence }: { job: string; fence: bigint }): Promise<LiveJob> => {
    const found = live.job(job);
    if (found === undefined || BigInt(found.fence) !== fence) throw await refusal(job, store);
    return found;
  };
  return {
    heartbeat: async (request) => {
      const job = await liveJob(request);
      job.beat(beatOf(request));
      if (request.progress !== undefined && job.leader) runs.touch(job.name.run);
      return { leaseMs: config.leaseMs };
    },
    awaitGang: async (request, call) => {
      const { name, attempt } = await liveJob(request);
      const gang = await attempt.gang(name.role, call.signal, request.afterLosses);
      if (gang === undefined) throw await refusal(request.job, store);
      const { addresses, losses, replacements } = gang;
      return { addresses: { ...addresses }, losses, replacements: { ...replacements } };
    },
    complete: async (request, call) => {
      const { job, fence, outputs } = request;
      const found = live.job(job);
      // What another member of a gang has done lies in its memory, and the leader has reported it.
      if (found !== undefined && !found.leader) return {};
      const name = parseJobId(job);
      if (name === undefined || (await runs.find(name.run)) === undefined) throw unknownJob(job);
      const context = changeContextOf({ ...request, requestId: `complete/${job}/${fence}` }, call);
      await runs.change(
        name.run,
        (run) => {
          const newest = run.steps.find(({ step }) => step === name.step)?.attempts.at(-1);
          if (newest === undefined) throw unknownJob(job);
          if (BigInt(newest.fence) !== fence) throw fenced(run, name.step, name.attempt);
          return attemptSucceeded(run, name.step, name.attempt, outputs, clock.now());
        },
        context,
      );
      failpoint("scheduler.complete.after-record");
      found?.attempt.complete();
      return {};
    },
  };
}

const beatOf = ({ address, progress }: HeartbeatRequest) => ({ address, progress });

/** Why a job that does not run here is refused: its attempt is over, or there was none. */
async function refusal(job: string, { runs }: SchedulerStore): Promise<HeddleError> {
  const name = parseJobId(job);
  if (name === undefined) return unknownJob(job);
  const known = await runs.find(name.run);
  const step = known?.state.steps.find((other) => other.step === name.step);
  const newest = step?.attempts.at(-1)?.number ?? 0;
  if (known === undefined || name.attempt > newest) return unknownJob(job);
  return fenced(known.state, name.step, name.attempt);
}

function unknownJob(job: string): HeddleError {
  return new HeddleError(
    "NOT_FOUND",
    "UNKNOWN_JOB",
    `job ${job} is not one of this scheduler: stop, nobody waits for its result`,
    { metadata: { job } },
  );
}
