import { HeddleError, isHeddleError, messageOf } from "@heddle/base";
import { SchedulerService } from "@heddle/proto/scheduler";
import { connect } from "@heddle/rpc";
import { silentTelemetry, type Telemetry } from "@heddle/telemetry";

/** What the scheduler puts into every job's input, beside the fields of its program. */
export interface JobInput {
  /** Job id. */
  readonly job: string;
  /** Fencing token of the attempt: what the job writes elsewhere carries it. */
  readonly fence: number;
  /** `host:port` of the scheduler. */
  readonly scheduler: string;
  /** Addresses of the other services by name: `registry`, `featureStore`, `evaluator`, `sync`. */
  readonly peers: Readonly<Record<string, string>>;
  /** Where the objects lie: a folder, or an s3:// URL. */
  readonly objects: string;
  /** W3C trace context of the attempt: the parent of the job's spans. */
  readonly traceparent?: string;
}

/** The other members of a gang, some of which took a lost one's place. */
export interface Gang {
  /** By role. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Members replaced so far in the attempt. */
  readonly losses: number;
  /** By role: the life of the process that took the place, and how long ago the loss was noticed. */
  readonly replacements: Readonly<
    Record<string, { readonly life: number; readonly lostForMs: number }>
  >;
}

/** A job's line to its scheduler. */
export interface JobClient {
  /** Says where this job listens, at once; the gang waits for it. */
  setAddress(address: string): Promise<void>;
  /** Says how far it is, with the next heartbeat. `total` 0 when unknown; `unit` e.g. `rows`. */
  progress(done: number, total: number, unit: string, message?: string): void;
  /**
   * Waits until every member of the gang listens.
   *
   * @returns addresses of the other members by role, e.g. `shard-0`.
   * @throws {HeddleError} ABORTED FENCED when the attempt was replaced meanwhile.
   */
  awaitGang(signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /**
   * Waits until more members than `known` were replaced in the attempt, and all listen again. While every learner of a gang asks, a lost
   * shard is replaced alone.
   *
   * @throws {HeddleError} as `awaitGang`.
   */
  awaitReplacements(known: number, signal: AbortSignal): Promise<Gang>;
  /**
   * Records the job's outputs; durable when it resolves. Without it the attempt counts as failed.
   *
   * @throws {HeddleError} ABORTED FENCED when the attempt was replaced: its result does not count.
   */
  complete(outputs: Readonly<Record<string, string>>): Promise<void>;
  /** Aborts with a HeddleError FENCED once the attempt was replaced or its lease could not be renewed: stop at once. */
  readonly fenced: AbortSignal;
  [Symbol.asyncDispose](): Promise<void>;
}

const firstLeaseMs = 10_000;
const beatsPerLease = 3;
const gangCallMs = 30_000;
const completeMs = 60_000;

/**
 * Opens the line and starts the heartbeats, each a third of the lease after the last. Call it
 * inside the job's span, so that its calls belong to the trace; heartbeats stay out of it.
 */
export function openJobClient(input: JobInput, telemetry: Telemetry): JobClient {
  const { job, fence, scheduler } = input;
  const me = { job, fence: BigInt(fence) };
  const calls = connect(SchedulerService, scheduler, { telemetry, actor: job });
  const fenced = new AbortController();
  const watched = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      if (isReplaced(error)) fenced.abort(error);
      throw error;
    }
  };
  const heart = startHeart(input, telemetry, fenced);
  const gang = async (
    after: { readonly afterLosses?: number },
    signal: AbortSignal,
  ): Promise<Gang> => {
    const either = AbortSignal.any([signal, fenced.signal]);
    for (;;) {
      either.throwIfAborted();
      try {
        const call = { timeoutMs: gangCallMs, signal: either };
        return await watched(calls.awaitGang({ ...me, ...after }, call));
      } catch (error) {
        either.throwIfAborted();
        if (!(error instanceof HeddleError) || error.code !== "DEADLINE_EXCEEDED") throw error;
      }
    }
  };

  return {
    fenced: fenced.signal,
    setAddress: (address) => watched(heart.beat({ address })),
    progress: (done, total, unit, message = "") => {
      heart.note({ progress: { done: BigInt(done), total: BigInt(total), unit, message } });
    },
    awaitGang: async (signal) => (await gang({}, signal)).addresses,
    awaitReplacements: (known, signal) => gang({ afterLosses: known }, signal),
    complete: async (outputs) => {
      await watched(calls.complete({ ...me, outputs: { ...outputs } }, { timeoutMs: completeMs }));
    },
    [Symbol.asyncDispose]: async () => {
      await heart[Symbol.asyncDispose]();
      await calls[Symbol.asyncDispose]();
    },
  };
}

interface Beat {
  readonly address?: string;
  readonly progress?: {
    readonly done: bigint;
    readonly total: bigint;
    readonly unit: string;
    readonly message: string;
  };
}

interface Heart {
  /** Remembers facts for the next heartbeat. */
  note(facts: Beat): void;
  /** Sends a heartbeat with these facts now. */
  beat(facts: Beat): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Beats until it is disposed or fenced; its timer keeps no process alive. */
function startHeart(input: JobInput, telemetry: Telemetry, fenced: AbortController): Heart {
  const options = { telemetry: silentTelemetry(), actor: input.job };
  const calls = connect(SchedulerService, input.scheduler, options);
  const closed = new AbortController();
  let facts: Beat = {};
  let leaseMs = firstLeaseMs;
  let timer: NodeJS.Timeout | undefined;

  const send = async (): Promise<void> => {
    const beat = { ...facts, job: input.job, fence: BigInt(input.fence) };
    const answer = await calls.heartbeat(beat, { timeoutMs: leaseMs, signal: closed.signal });
    if (answer.leaseMs > 0) leaseMs = answer.leaseMs;
  };
  const tick = async (): Promise<void> => {
    try {
      await send();
    } catch (error) {
      if (closed.signal.aborted) return;
      telemetry.log.warn({ job: input.job, error: messageOf(error) }, "heartbeat failed");
      fenced.abort(isReplaced(error) ? error : leaseLost(input.job, leaseMs, error));
      return;
    }
    if (!closed.signal.aborted) schedule();
  };
  const schedule = (): void => {
    timer = setTimeout(() => void tick(), leaseMs / beatsPerLease).unref();
  };

  void tick();
  return {
    note: (more) => {
      facts = { ...facts, ...more };
    },
    beat: (more) => {
      facts = { ...facts, ...more };
      return send();
    },
    [Symbol.asyncDispose]: async () => {
      closed.abort();
      clearTimeout(timer);
      await calls[Symbol.asyncDispose]();
    },
  };
}

const isReplaced = (error: unknown): boolean =>
  isHeddleError(error, "FENCED") || isHeddleError(error, "UNKNOWN_JOB");

/** The call tried for a whole lease: by now the scheduler has given the work to another job. */
function leaseLost(job: string, leaseMs: number, cause: unknown): HeddleError {
  return new HeddleError(
    "ABORTED",
    "FENCED",
    `job ${job} could not renew its lease of ${leaseMs} ms (${messageOf(cause)}): it stops, and the scheduler replaces it`,
    { cause },
  );
}
