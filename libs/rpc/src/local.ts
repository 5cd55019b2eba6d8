import { HeddleError, messageOf } from "@heddle/base";
import { create, type DescMethod, type DescService } from "@bufbuild/protobuf";
import type { CallOptions, ConnectOptions } from "./client/client.ts";
import { type AnyMessage, type Calls, streamsIn, streamsOut } from "./method.ts";
import { callCancelled, type CallContext } from "./server/answer.ts";
import type { Implementation } from "./server/server.ts";

export interface LocalCallOptions extends CallOptions {
  /** As in `CallContext`; the answer may lie in it. */
  readonly room?: CallContext["room"];
}

export type LocalClient<S extends DescService> = Calls<S, LocalCallOptions> & AsyncDisposable;

/**
 * A client of an implementation in this very process: the same handlers, deadlines and errors as over gRPC, but messages are handed over
 * as they are. So whoever calls leaves a request's bytes alone until it is answered, and rounds a number for a field that has 4 bytes of it.
 * Only for services whose methods are all unary.
 */
export function connectLocal<S extends DescService>(
  service: S,
  { handlers }: Implementation,
  options: ConnectOptions,
): LocalClient<S> {
  const calls: Record<string, unknown> = {};
  for (const method of service.methods) {
    if (streamsIn(method) || streamsOut(method)) {
      throw new TypeError(`${service.typeName}.${method.name} streams, which no local call does`);
    }
    calls[method.localName] = callOf(method, handlers[method.localName], options);
  }
  return Object.assign(calls, {
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }) as unknown as LocalClient<S>;
}

function callOf(
  method: DescMethod,
  handler: Implementation["handlers"][string] | undefined,
  { telemetry, actor }: ConnectOptions,
): unknown {
  if (handler === undefined) throw new TypeError(`${method.name} has no handler`);
  const name = `${method.parent.typeName}/${method.name}`;
  const attributes = { "rpc.system": "heddle-local", "rpc.method": name };
  return (request: AnyMessage, { timeoutMs, signal: stop, room }: LocalCallOptions) =>
    telemetry.span(name, { attributes }, async () => {
      const traceparent = telemetry.traceparent();
      using call = openCall(timeoutMs, stop, name);
      const context: CallContext = {
        ...{ signal: call.signal, deadlineMs: Date.now() + timeoutMs, actor },
        ...(traceparent !== undefined && { traceparent }),
        ...(room && { room }),
      };
      try {
        if (call.signal.aborted) await call.aborted;
        const answer = handler(create(method.input, request), context);
        return create(method.output, await Promise.race([answer, call.aborted]));
      } catch (error) {
        throw error instanceof HeddleError ? error : failed(name, error);
      }
    });
}

interface OpenCall extends Disposable {
  readonly signal: AbortSignal;
  /** Rejects when the caller stops waiting. */
  readonly aborted: Promise<never>;
}

/** Ends at its deadline, or when it is told to. */
function openCall(timeoutMs: number, stop: AbortSignal | undefined, name: string): OpenCall {
  const ended = new AbortController();
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => undefined);
  const end = (code: "CANCELLED" | "DEADLINE_EXCEEDED", what: string): void => {
    ended.abort(callCancelled());
    aborted.reject(new HeddleError(code, `RPC_${code}`, `${name} ${what}`));
  };
  const cancel = (): void => end("CANCELLED", "was cancelled");
  const late = setTimeout(
    () => end("DEADLINE_EXCEEDED", `was not answered within ${timeoutMs} ms`),
    timeoutMs,
  );
  if (stop?.aborted === true) cancel();
  stop?.addEventListener("abort", cancel, { once: true });
  return {
    signal: ended.signal,
    aborted: aborted.promise,
    [Symbol.dispose]: () => {
      clearTimeout(late);
      stop?.removeEventListener("abort", cancel);
    },
  };
}

/** Nobody else reads it, so it says what went wrong. */
const failed = (name: string, cause: unknown): HeddleError =>
  new HeddleError("INTERNAL", "INTERNAL", `${name} failed: ${messageOf(cause)}`, { cause });
