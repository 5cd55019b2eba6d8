import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import pino from "pino";
import { type Providers, toCollector, toFiles, toNowhere } from "./providers.ts";
import type { Logger, Telemetry } from "./telemetry.ts";
import { readTraceparent, writeTraceparent } from "./traceparent.ts";

export interface TelemetryOptions {
  /** Name of the service or job program. */
  readonly service: string;
  /** Where traces and metrics are written as files; nowhere when absent. */
  readonly folder?: string;
  /** OTLP gRPC endpoint; when set, traces and metrics go there through @opentelemetry/sdk-node. */
  readonly otlpEndpoint?: string;
  /** Of the traces that begin here the share that is kept, 0 to 1; all when absent. */
  readonly traceShare?: number;
  /** `error`, `warn`, `info` or `debug`; `info` when absent. */
  readonly logLevel?: string;
  /** File the log is appended to; standard error when absent. */
  readonly logFile?: string;
}

/** Starts traces, metrics and logs of one service or job. */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  return telemetryOver(await openProviders(options), openLog(options));
}

async function openProviders(options: TelemetryOptions): Promise<Providers> {
  const { service, folder, otlpEndpoint, traceShare = 1 } = options;
  if (otlpEndpoint !== undefined) return await toCollector(service, otlpEndpoint, traceShare);
  return folder === undefined ? toNowhere() : toFiles(service, folder, traceShare);
}

function openLog({ service, logLevel, logFile }: TelemetryOptions): Logger {
  const destination = pino.destination({ dest: logFile ?? 2, sync: true, mkdir: true });
  // A line that a full disk does not take is lost; unheard, the error would end the process.
  destination.on("error", () => undefined);
  return pino({ name: service, level: logLevel ?? "info", mixin: traceOf }, destination);
}

/** What leads from a line of the log to its trace. */
function traceOf(): { readonly traceId?: string } {
  const active = trace.getSpanContext(context.active());
  return active === undefined ? {} : { traceId: active.traceId };
}

function telemetryOver(providers: Providers, log: Logger): Telemetry {
  const { meter, shutdown } = providers;
  return {
    log,
    ...tracesOf(providers),
    counter: (name, unit, description) => meter.createCounter(name, { unit, description }),
    histogram: (name, unit, description) => meter.createHistogram(name, { unit, description }),
    gauge: (name, unit, description, read) =>
      meter
        .createObservableGauge(name, { unit, description })
        .addCallback((result) => result.observe(read())),
    [Symbol.asyncDispose]: async () => {
      try {
        await shutdown();
      } catch (error) {
        // A full disk or a collector that went: no reason for what was measured to fail, too.
        log.warn({ error: String(error) }, "traces or metrics were lost");
      }
    },
  };
}

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

function tracesOf({
  tracer,
  keepsSpans,
}: Providers): Pick<Telemetry, "span" | "traceparent" | "recording" | "link"> {
  return {
    span: (name, { attributes, kind, parent }, run) => {
      const from = parent === undefined ? context.active() : remote(parent);
      const options = { attributes: { ...attributes }, kind: kinds[kind ?? "internal"] };
      return tracer.startActiveSpan(name, options, from, async (span) => {
        try {
          return await run();
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          span.setStatus({ code: SpanStatusCode.ERROR, message });
          throw error;
        } finally {
          span.end();
        }
      });
    },
    traceparent: () => {
      const active = trace.getSpanContext(context.active());
      return active === undefined ? undefined : writeTraceparent(active);
    },
    recording: () => {
      if (!keepsSpans) return false;
      const active = trace.getSpanContext(context.active());
      return active !== undefined && (active.traceFlags & TraceFlags.SAMPLED) !== 0;
    },
    link: (traceparent) => {
      const linked = readTraceparent(traceparent);
      if (linked !== undefined) trace.getActiveSpan()?.addLink({ context: linked });
    },
  };
}

/** The context of a span in another process; a malformed traceparent starts a new trace. */
function remote(traceparent: string): typeof ROOT_CONTEXT {
  const span = readTraceparent(traceparent);
  return span === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, span);
}
