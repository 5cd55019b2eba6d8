import type { Clock } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import type { Jobs, JobSpec } from "@heddle/jobs";
import type { Telemetry } from "@heddle/telemetry";
import type { Limits } from "../config.ts";
import { type Loss, runGang } from "./gang.ts";
import { jobId, type LiveAttempts } from "./live-attempts.ts";
import { attemptSucceeded, memberLost } from "../runs/pipeline-run.ts";
import type { AttemptState, Failure, RunState } from "../runs/run-state.ts";
import { failureOf } from "../steps/failure.ts";
import { workOf } from "../steps/index.ts";
import type { Clients } from "../peers.ts";
import type { Member } from "../steps/work.ts";

/** What every job needs of its surroundings; the host gives it. */
interface JobSurroundings {
  /** `host:port` of this scheduler. */
  readonly scheduler: string;
  /** Addresses of the other services, by name. */
  readonly peers: Readonly<Record<string, string>>;
  /** Where the objects lie: a folder, or an s3:// URL. */
  readonly objectsPlace: string;
  readonly jobEnvironment: Readonly<Record<string, string>>;
}

export interface AttemptDeps {
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly config: Limits;
  readonly clients: Clients;
  readonly live: LiveAttempts;
  readonly surroundings: JobSurroundings;
}

/** An attempt that was started durably and is now to be made. */
export interface Attempt {
  readonly id: string;
  readonly run: RunState;
  readonly step: string;
  readonly attempt: AttemptState;
  /** Records a change of the run under the driver's fence. */
  readonly change: (what: string, decide: (run: RunState) => RunState) => Promise<unknown>;
}

/**
 * Makes an attempt inside its span.
 *
 * @returns why it failed; undefined when its outputs are durable.
 * @throws the signal's reason when it aborts: the attempt is over, or will be the next scheduler's.
 */
export async function runAttempt(
  { id, run, step, attempt, change }: Attempt,
  deps: AttemptDeps,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const { clients, config, clock, live } = deps;
  try {
    const work = await workOf({ id, run, step, clients, config, signal });
    if (work.kind === "done") {
      await change(`${step}/${attempt.number}/succeeded`, (now) =>
        attemptSucceeded(now, step, attempt.number, work.outputs, clock.now()),
      );
      return undefined;
    }
    const name = { run: id, step, attempt: attempt.number };
    const roles = work.members.map(({ role }) => role);
    const listening = work.members.flatMap(({ role, program }) =>
      program === "shard" ? [role] : [],
    );
    using leases = live.open(name, attempt.fence, roles, listening);
    failpoint("scheduler.attempt.before-start");
    const members = work.members.map((member) => {
      const spec = (of: Member, life: number): JobSpec =>
        specOf(jobId({ ...name, role: of.role, life }), of, attempt.fence, run, deps);
      const heir = (life: number) => spec({ ...member, input: { ...member.input, life } }, life);
      const isShard = member.program === "shard";
      return { role: member.role, spec: spec(member, 0), ...(isShard && { heir }) };
    });
    const onLoss = async (loss: Loss): Promise<void> => {
      const { role, life } = loss;
      const facts = { pipelineRun: id, step, attempt: attempt.number, ...loss };
      deps.telemetry.log.warn(facts, "a member of a gang is lost, another takes its place");
      await change(`${step}/${attempt.number}/lost/${life}`, (now) =>
        memberLost(now, step, attempt.number, {
          role,
          life,
          lostMs: clock.now(),
          error: loss.error,
        }),
      );
    };
    return await runGang(members, leases, deps, onLoss, signal);
  } catch (error) {
    signal.throwIfAborted();
    const failure = failureOf(error);
    if (failure.reason === "INTERNAL") {
      const stack = String((error as Error).stack ?? error);
      deps.telemetry.log.error({ pipelineRun: id, step, stack }, "an attempt broke");
    }
    return failure;
  }
}

function specOf(
  id: string,
  { role, program, input }: Member,
  fence: number,
  run: RunState,
  { telemetry, surroundings }: AttemptDeps,
): JobSpec {
  const { scheduler, peers, objectsPlace, jobEnvironment } = surroundings;
  const traceparent = telemetry.traceparent() ?? run.traceparent;
  const trace = traceparent === undefined ? {} : { traceparent };
  return {
    id,
    program,
    input: { ...input, job: id, fence, role, scheduler, peers, objects: objectsPlace, ...trace },
    environment: {
      ...jobEnvironment,
      ...(traceparent === undefined ? {} : { HEDDLE_TRACEPARENT: traceparent }),
    },
  };
}
