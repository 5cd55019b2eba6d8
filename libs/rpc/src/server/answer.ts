import type { DescMethod } from "@bufbuild/protobuf";
import type * as grpc from "@grpc/grpc-js";
import { HeddleError } from "@heddle/base";
import { type Telemetry, traceIdOf } from "@heddle/telemetry";
import {
  allWellFormed,
  type AnyMessage,
  pump,
  streamsIn,
  streamsOut,
  wellFormed,
} from "../method.ts";
import { statusOf } from "../status.ts";

/** What a handler knows of its call. */
export interface CallContext {
  /** Aborts when the caller cancels, goes away, or the deadline passes. */
  readonly signal: AbortSignal;
  /** Wall time at which the caller stops waiting, milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** Who calls: the name the client gave. */
  readonly actor: string;
  /** W3C trace context of the call's own span. */
  readonly traceparent?: string;
  /**
   * Memory for the answer, with whatever was in it, valid until the answer was sent; that of the request is valid as long.
   * Absent where every answer is copied anyway.
   */
  readonly room?: (bytes: number) => Uint8Array;
}

/** Answers one call, in a span of the caller's trace: request, handler, reply; whatever fails becomes the call's status. */
export async function answer(
  method: DescMethod,
  handler: (...args: AnyMessage[]) => AnyMessage,
  call: AnyMessage,
  reply: AnyMessage,
  telemetry: Telemetry,
): Promise<void> {
  const metadata = call.metadata as grpc.Metadata;
  const parent = text(metadata, "traceparent");
  const name = `${method.parent.typeName}/${method.name}`;
  const options = {
    kind: "server" as const,
    attributes: { "rpc.system": "grpc", "rpc.method": name },
    ...(parent === undefined ? {} : { parent }),
  };
  let traceId = "";
  try {
    const result = await telemetry.span(name, options, async () => {
      const context = contextOf(call, metadata, telemetry);
      traceId = traceIdOf(context.traceparent);
      const input = streamsIn(method)
        ? allWellFormed(requestsOf(method, call), method)
        : wellFormed(call.request, method);
      const out = handler(input, context);
      return streamsOut(method) ? pump(out, call) : await out;
    });
    if (!streamsOut(method)) reply(null, result);
  } catch (error) {
    if (!(error instanceof HeddleError)) {
      telemetry.log.error(
        { method: name, traceId, error: String((error as Error)?.stack ?? error) },
        "call failed",
      );
    }
    const status = statusOf(error, traceId);
    if (streamsOut(method)) call.emit("error", status);
    else reply(status);
  }
}

/** Where answers stream, too, the end of the requests must not close the stream that both are on. */
function requestsOf(method: DescMethod, call: AnyMessage): AsyncIterable<AnyMessage> {
  return streamsOut(method) ? call.iterator({ destroyOnReturn: false }) : call;
}

function contextOf(call: AnyMessage, metadata: grpc.Metadata, telemetry: Telemetry): CallContext {
  const cancel = new AbortController();
  call.once("cancelled", () => {
    cancel.abort(callCancelled());
  });
  const traceparent = telemetry.traceparent();
  return {
    signal: cancel.signal,
    // Infinity when it is of a client that states none.
    deadlineMs: Number(call.getDeadline() as Date | number),
    actor: text(metadata, "heddle-actor") ?? "unknown",
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

function text(metadata: grpc.Metadata, key: string): string | undefined {
  const value = metadata.get(key)[0];
  return typeof value === "string" ? value : undefined;
}

/** What a handler's signal aborts with when nobody waits for its answer any more. */
export const callCancelled = (): HeddleError =>
  new HeddleError("CANCELLED", "CALL_CANCELLED", "the caller cancelled or its deadline passed");
