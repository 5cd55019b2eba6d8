import { backoffMs, defaultBackoff, HeddleError } from "@heddle/base";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import type { Telemetry } from "@heddle/telemetry";
import {
  type AnyMessage,
  type Calls,
  definitionOf,
  messageBytesMax,
  pump,
  streamsIn,
  streamsOut,
} from "./method.ts";
import { errorOf } from "./status.ts";

export interface CallOptions {
  /** How long the caller waits, retries included. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export type Client<S extends DescService> = Calls<S, CallOptions> & AsyncDisposable;

export interface ConnectOptions {
  readonly telemetry: Telemetry;
  /** Who calls; the audit record names it. */
  readonly actor: string;
}

/**
 * A typed client of one service at one address. Unary calls that fail with UNAVAILABLE are tried
 * again with backoff until their deadline: every mutating request carries a `request_id`, so a
 * repeat has no second effect. Each call is a span and carries its trace context.
 */
export function connect<S extends DescService>(
  service: S,
  address: string,
  options: ConnectOptions,
): Client<S> {
  const channel = new grpc.Client(address, grpc.credentials.createInsecure(), {
    "grpc.max_receive_message_length": messageBytesMax,
    "grpc.max_send_message_length": messageBytesMax,
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 1_000,
  });
  const calls: Record<string, unknown> = {};
  for (const method of service.methods) {
    calls[method.localName] = callOf(method, channel, address, options);
  }
  return Object.assign(calls, {
    [Symbol.asyncDispose]: () => {
      channel.close();
      return Promise.resolve();
    },
  }) as unknown as Client<S>;
}

function callOf(
  method: DescMethod,
  channel: grpc.Client,
  address: string,
  { telemetry, actor }: ConnectOptions,
): unknown {
  const name = `${method.parent.typeName}/${method.name}`;
  const target = `${name} at ${address}`;
  const metadataNow = (): grpc.Metadata => {
    const metadata = new grpc.Metadata();
    metadata.set("heddle-actor", actor);
    const traceparent = telemetry.traceparent();
    if (traceparent !== undefined) metadata.set("traceparent", traceparent);
    return metadata;
  };
  const span = <T>(run: () => Promise<T>): Promise<T> =>
    telemetry.span(
      name,
      { kind: "client", attributes: { "rpc.system": "grpc", "rpc.method": name } },
      run,
    );

  if (streamsOut(method)) {
    return async function* (request: AnyMessage, call: CallOptions): AsyncIterable<AnyMessage> {
      const stream = start(method, channel, request, metadataNow(), deadline(call), call.signal);
      try {
        yield* stream;
      } catch (error) {
        throw errorOf(error as grpc.ServiceError, target);
      } finally {
        stream.cancel();
      }
    };
  }
  return (request: AnyMessage, call: CallOptions) =>
    span(() => {
      const until = deadline(call);
      const once = (): Promise<AnyMessage> =>
        new Promise((resolve, reject) => {
          start(method, channel, request, metadataNow(), until, call.signal, (error, out) => {
            if (error === null) resolve(out);
            else reject(errorOf(error, target));
          });
        });
      return streamsIn(method) ? once() : retried(once, until, call.signal);
    });
}

const deadline = (call: CallOptions): Date => new Date(Date.now() + call.timeoutMs);

async function retried<T>(
  once: () => Promise<T>,
  until: Date,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once();
    } catch (error) {
      const waitMs = backoffMs(defaultBackoff, attempt, Math.random());
      const unavailable = error instanceof HeddleError && error.code === "UNAVAILABLE";
      if (!unavailable || signal?.aborted === true || Date.now() + waitMs >= until.getTime()) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

type Done = (error: grpc.ServiceError | null, out?: AnyMessage) => void;

function start(
  method: DescMethod,
  channel: grpc.Client,
  request: AnyMessage,
  metadata: grpc.Metadata,
  until: Date,
  signal: AbortSignal | undefined,
  done: Done = () => undefined,
): AnyMessage {
  const { path, requestSerialize, responseDeserialize } = definitionOf(method);
  const options = { deadline: until };
  const codec = [path, requestSerialize, responseDeserialize] as const;
  const call: AnyMessage = streamsIn(method)
    ? streamsOut(method)
      ? channel.makeBidiStreamRequest(...codec, metadata, options)
      : channel.makeClientStreamRequest(...codec, metadata, options, done)
    : streamsOut(method)
      ? channel.makeServerStreamRequest(...codec, request, metadata, options)
      : channel.makeUnaryRequest(...codec, request, metadata, options, done);
  const abort = (): void => call.cancel();
  if (signal?.aborted === true) abort();
  else signal?.addEventListener("abort", abort, { once: true });
  call.once("status", () => signal?.removeEventListener("abort", abort));
  if (streamsIn(method)) pump(request, call).catch(abort);
  return call;
}
