import { randomUUID } from "node:crypto";
import { isSpanContextValid, type SpanContext, TraceFlags } from "@opentelemetry/api";

/** @source W3C Trace Context, level 1, §3.2.2: version 00. */
export function writeTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}

/** The span that a traceparent of another process names; undefined when it names none. */
export function readTraceparent(traceparent: string): SpanContext | undefined {
  const [, traceId = "", spanId = "", flags = ""] = traceparent.split("-");
  const traceFlags = Number.parseInt(flags, 16);
  const span = { traceId, spanId, traceFlags, isRemote: true };
  return isSpanContextValid(span) && Number.isFinite(traceFlags) ? span : undefined;
}

/** A traceparent of a trace that nobody keeps: the parent of what a loop asks again and again, mostly for nothing. */
export function unkeptTraceparent(): string {
  const traceId = randomUUID().replaceAll("-", "");
  return writeTraceparent({ traceId, spanId: traceId.slice(0, 16), traceFlags: TraceFlags.NONE });
}

/** The trace that a traceparent is of; empty when it names none. */
export function traceIdOf(traceparent: string | undefined): string {
  return traceparent?.split("-")[1] ?? "";
}
