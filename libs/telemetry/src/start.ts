import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  context,
  isSpanContextValid,
  type Meter,
  metrics,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import pino from "pino";
import { metricFileExporter } from "./metric-file.ts";
import { spanFileExporter } from "./span-file.ts";
import type { Logger, Telemetry } from "./telemetry.ts";

export interface TelemetryOptions {
  /** Name of the service or job program. */
  readonly service: string;
  /** Where traces and metrics are written as files; nowhere when absent. */
  readonly folder?: string;
  /** OTLP gRPC endpoint; when set, traces and metrics go there through @opentelemetry/sdk-node. */
  readonly otlpEndpoint?: string;
  /** `error`, `warn`, `info` or `debug`; `info` when absent. */
  readonly logLevel?: string;
  /** File the log is appended to; standard error when absent. */
  readonly logFile?: string;
}

interface Providers {
  readonly tracer: Tracer;
  readonly meter: Meter;
  readonly shutdown: () => Promise<unknown>;
}

const flushMs = 500;
const metricsMs = 10_000;

/** Starts traces, metrics and logs of one service or job. */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { service, folder, otlpEndpoint } = options;
  const providers =
    otlpEndpoint !== undefined
      ? await toCollector(service, otlpEndpoint)
      : toFiles(service, folder);
  return telemetryOver(providers, openLog(options));
}

function openLog({ service, logLevel, logFile }: TelemetryOptions): Logger {
  const destination = pino.destination({ dest: logFile ?? 2, sync: true, mkdir: true });
  // A line that a full disk does not take is lost; unheard, the error would end the process.
  destination.on("error", () => undefined);
  return pino({ name: service, level: logLevel ?? "info" }, destination);
}

function toFiles(service: string, folder: string | undefined): Providers {
  shareContext();
  if (folder === undefined) {
    const tracers = new TracerProvider();
    const meters = new MeterProvider();
    return {
      tracer: tracers.getTracer("heddle"),
      meter: meters.getMeter("heddle"),
      shutdown: () => Promise.resolve(),
    };
  }
  mkdirSync(folder, { recursive: true });
  const file = (kind: string): string => join(folder, `${kind}-${service}-${process.pid}.jsonl`);
  const tracers = new TracerProvider({
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: spanFileExporter(file("spans"), service),
        scheduledDelayMillis: flushMs,
        maxQueueSize: 16_384,
        maxExportBatchSize: 2_048,
      }),
    ],
  });
  const meters = new MeterProvider({
    readers: [
      new PeriodicExportingMetricReader({
        exporter: metricFileExporter(file("metrics"), service),
        exportIntervalMillis: metricsMs,
      }),
    ],
  });
  return {
    tracer: tracers.getTracer("heddle"),
    meter: meters.getMeter("heddle"),
    shutdown: () => Promise.all([tracers.shutdown(), meters.shutdown()]),
  };
}

/** 66 packages and 0.3 s to load: only where a collector listens. */
async function toCollector(service: string, endpoint: string): Promise<Providers> {
  const { NodeSDK } = await import("@opentelemetry/sdk-node");
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-grpc");
  const { OTLPMetricExporter } = await import("@opentelemetry/exporter-metrics-otlp-grpc");
  const sdk = new NodeSDK({
    serviceName: service,
    traceExporter: new OTLPTraceExporter({ url: endpoint }),
    metricReaders: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({ url: endpoint }),
        exportIntervalMillis: metricsMs,
      }),
    ],
    instrumentations: [],
  });
  sdk.start();
  return {
    tracer: trace.getTracer("heddle"),
    meter: metrics.getMeter("heddle"),
    shutdown: () => sdk.shutdown(),
  };
}

/** The active span travels through awaits by one context manager for the whole process. */
function shareContext(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}

function telemetryOver({ tracer, meter, shutdown }: Providers, log: Logger): Telemetry {
  return {
    log,
    span: (name, { attributes, parent }, run) => {
      const from = parent === undefined ? context.active() : remote(parent);
      return tracer.startActiveSpan(name, { attributes: { ...attributes } }, from, async (span) => {
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
      if (active === undefined || !isSpanContextValid(active)) return undefined;
      const flags = active.traceFlags.toString(16).padStart(2, "0");
      return `00-${active.traceId}-${active.spanId}-${flags}`;
    },
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

/** The context of a span in another process; a malformed traceparent starts a new trace. */
function remote(traceparent: string): typeof ROOT_CONTEXT {
  const [, traceId = "", spanId = ""] = traceparent.split("-");
  const span = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return isSpanContextValid(span) ? trace.setSpanContext(ROOT_CONTEXT, span) : ROOT_CONTEXT;
}
