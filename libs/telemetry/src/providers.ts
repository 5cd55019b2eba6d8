import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { context, type Meter, metrics, trace, type Tracer } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { metricFileExporter } from "./metric-file.ts";
import { spanFileExporter } from "./span-file.ts";

/** Where a service's spans and metrics go. */
export interface Providers {
  readonly tracer: Tracer;
  readonly meter: Meter;
  /** Whether spans go anywhere. */
  readonly keepsSpans: boolean;
  readonly shutdown: () => Promise<unknown>;
}

/** A process that is killed loses what it did in this time. */
const flushMs = 500;
const metricsMs = 10_000;
/** A collector that is silent holds up an end for so long; a host has eight services, and 25 s to end. */
const collectorMs = 2_000;

/** Keeps this share of the traces that begin here; of those that came from elsewhere what their beginner kept. */
const samplerOf = (traceShare: number): Sampler =>
  new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(traceShare) });

const processorOf = (exporter: SpanExporter): BatchSpanProcessor =>
  new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis: flushMs,
    maxQueueSize: 16_384,
    maxExportBatchSize: 2_048,
  });

/** Spans and metrics are given ids and forgotten. */
export function toNowhere(): Providers {
  shareContext();
  return {
    tracer: new TracerProvider().getTracer("heddle"),
    meter: new MeterProvider().getMeter("heddle"),
    keepsSpans: false,
    shutdown: () => Promise.resolve(),
  };
}

export function toFiles(service: string, folder: string, traceShare: number): Providers {
  shareContext();
  mkdirSync(folder, { recursive: true });
  const file = (kind: string): string => join(folder, `${kind}-${service}-${process.pid}.jsonl`);
  const tracers = new TracerProvider({
    sampler: samplerOf(traceShare),
    spanProcessors: [processorOf(spanFileExporter(file("spans"), service))],
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
    keepsSpans: true,
    shutdown: () => Promise.all([tracers.shutdown(), meters.shutdown()]),
  };
}

/** 66 packages and 0.3 s to load: only where a collector listens. */
export async function toCollector(
  service: string,
  endpoint: string,
  traceShare: number,
): Promise<Providers> {
  const { NodeSDK } = await import("@opentelemetry/sdk-node");
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-grpc");
  const { OTLPMetricExporter } = await import("@opentelemetry/exporter-metrics-otlp-grpc");
  const collector = { url: endpoint, timeoutMillis: collectorMs };
  const sdk = new NodeSDK({
    serviceName: service,
    sampler: samplerOf(traceShare),
    spanProcessors: [processorOf(new OTLPTraceExporter(collector))],
    metricReaders: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter(collector),
        exportIntervalMillis: metricsMs,
      }),
    ],
    instrumentations: [],
  });
  // The API holds one provider for a process, and a host has a service of each name: each takes its own from there.
  trace.disable();
  metrics.disable();
  sdk.start();
  return {
    tracer: trace.getTracer("heddle"),
    meter: metrics.getMeter("heddle"),
    keepsSpans: true,
    shutdown: () => sdk.shutdown(),
  };
}

/** The active span travels through awaits by one context manager for the whole process. */
function shareContext(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}
