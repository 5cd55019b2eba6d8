import { appendFileSync } from "node:fs";
import { SpanStatusCode } from "@opentelemetry/api";
import { type ExportResult, ExportResultCode, hrTimeToMicroseconds } from "@opentelemetry/core";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";

/** A span as the embedded profile keeps it: one JSON line. */
export interface SpanLine {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the root of a trace. */
  readonly parentSpanId: string;
  readonly service: string;
  readonly name: string;
  /** Microseconds since the epoch. */
  readonly startUs: number;
  readonly endUs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Spans of other traces that led to it. */
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  /** Message of the error it ended with; absent when it ended well. */
  readonly error?: string;
}

/** Appends spans to a file, so that traces can be read without any server. */
export function spanFileExporter(path: string, service: string): SpanExporter {
  return {
    export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
      try {
        appendFileSync(
          path,
          spans.map((span) => `${JSON.stringify(line(span, service))}\n`).join(""),
        );
        done({ code: ExportResultCode.SUCCESS });
      } catch (error) {
        done({ code: ExportResultCode.FAILED, error: error as Error });
      }
    },
    shutdown: () => Promise.resolve(),
  };
}

function line(span: ReadableSpan, service: string): SpanLine {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? "",
    service,
    name: span.name,
    startUs: hrTimeToMicroseconds(span.startTime),
    endUs: hrTimeToMicroseconds(span.endTime),
    attributes: span.attributes,
    ...(span.links.length === 0
      ? {}
      : { links: span.links.map(({ context: { traceId, spanId } }) => ({ traceId, spanId })) }),
    ...(span.status.code === SpanStatusCode.ERROR
      ? { error: span.status.message ?? "failed" }
      : {}),
  };
}
