import { type Objects, openTracedObjects } from "@heddle/objects";
import type { ConnectOptions } from "@heddle/rpc";
import { startTelemetry, type Telemetry, telemetryPlace } from "@heddle/telemetry";
import { type JobClient, type JobInput, openJobClient } from "./job-client.ts";

/** What a job's work has, whatever it does. */
export interface Attempt {
  readonly telemetry: Telemetry;
  readonly objects: Objects;
  readonly scheduler: JobClient;
  /** How it connects to other services. */
  readonly client: ConnectOptions;
  /** Aborts when the job is asked to stop, and when its attempt was replaced. */
  readonly signal: AbortSignal;
}

export interface AttemptOptions {
  /** As which service it appears in traces. */
  readonly service: string;
  /** Name of its span. */
  readonly span: string;
  /** What the span says beside the job's id. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** The process's, which says where telemetry goes. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborts when the job is asked to stop. */
  readonly stopped: AbortSignal;
}

/**
 * Makes one attempt of a job: within a span of the attempt's trace, with a line to the scheduler and the objects.
 *
 * @throws {HeddleError} ABORTED FENCED when the attempt was replaced; else what the work throws.
 */
export async function makeAttempt(
  input: JobInput,
  { service, span, attributes, environment, stopped }: AttemptOptions,
  work: (attempt: Attempt) => Promise<void>,
): Promise<void> {
  const { job, traceparent: parent } = input;
  await using telemetry = await startTelemetry({ service, ...telemetryPlace(environment) });
  const about = { ...(parent !== undefined && { parent }), attributes: { job, ...attributes } };
  await telemetry.span(span, about, async () => {
    const objects = await openTracedObjects(input.objects, telemetry);
    await using scheduler = openJobClient(input, telemetry);
    const { fenced } = scheduler;
    const signal = AbortSignal.any([stopped, fenced]);
    try {
      await work({ telemetry, objects, scheduler, client: { telemetry, actor: job }, signal });
    } catch (error) {
      // Then whatever failed did so because its call was ended.
      fenced.throwIfAborted();
      throw error;
    }
  });
}
