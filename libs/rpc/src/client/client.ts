import type { DescMethod, DescService } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import type { Telemetry } from "@heddle/telemetry";
import { openChannels } from "./channels/channels.ts";
import {
  type AnyMessage,
  type Calls,
  definitionOf,
  pump,
  streamsIn,
  streamsOut,
} from "../method.ts";
import { isRepeatable } from "./repeatable.ts";
import { retried } from "./retry.ts";
import { errorOf } from "../status.ts";
import type { Channels } from "./channels/channel.ts";

export interface CallOptions {
  /** How long the caller waits, retries included. */
  readonly timeoutMs: number;
  /** Ends the call, and the wait between two tries, as CANCELLED. */
  readonly signal?: AbortSignal;
}

export type Client<S extends DescService> = Calls<S, CallOptions> & AsyncDisposable;

export interface ConnectOptions {
  readonly telemetry: Telemetry;
  /** Who calls; the audit record names it. */
  readonly actor: string;
}

/**
 * A typed client of a service: of one server (`host:port`), or of its replicas (`host:port,host:port`, or `dns:///host:port` for all
 * addresses of a name), over which calls are spread by turns among those whose health says SERVING.
 *
 * Unary calls that fail with UNAVAILABLE are tried again with backoff until their deadline, where a repeat has no second effect. Each
 * call is a span and carries its trace context.
 *
 * @throws {HeddleError} INVALID_ARGUMENT ADDRESS_INVALID.
 */
export function connect<S extends DescService>(
  service: S,
  address: string,
  options: ConnectOptions,
): Client<S> {
  const channels = openChannels(address);
  const calls: Record<string, unknown> = {};
  for (const method of service.methods) {
    calls[method.localName] = callOf(method, channels, options);
  }
  return Object.assign(calls, {
    [Symbol.asyncDispose]: () => {
      channels.close();
      return Promise.resolve();
    },
  }) as unknown as Client<S>;
}

function callOf(
  method: DescMethod,
  channels: Channels,
  { telemetry, actor }: ConnectOptions,
): unknown {
  const name = `${method.parent.typeName}/${method.name}`;
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
      const until = deadline(call);
      await channels.opening();
      const { client, address } = channels.next();
      let broken: Error | undefined;
      const stream = start(method, client, request, metadataNow(), until, call.signal, (error) => {
        broken = error as Error;
      });
      try {
        yield* stream;
      } catch (error) {
        throw broken ?? errorOf(error as grpc.ServiceError, `${name} at ${address}`);
      } finally {
        stream.cancel();
      }
    };
  }
  return (request: AnyMessage, call: CallOptions) =>
    span(async () => {
      const until = deadline(call);
      const opening = channels.opening();
      if (opening !== undefined) await opening;
      const once = (): Promise<AnyMessage> =>
        new Promise((resolve, reject) => {
          const { client, address } = channels.next();
          const done: Done = (error, out) => {
            if (error === null) resolve(out);
            else reject(errorOf(error, `${name} at ${address}`));
          };
          start(method, client, request, metadataNow(), until, call.signal, reject, done);
        });
      return isRepeatable(method, request)
        ? retried(name, once, until.getTime(), call.signal)
        : once();
    });
}

const deadline = (call: CallOptions): Date => new Date(Date.now() + call.timeoutMs);

type Done = (error: grpc.ServiceError | null, out?: AnyMessage) => void;

/** @param broken told when the requests of a stream cannot be had: that, and not the cancelled call, is what the caller must hear of. */
function start(
  method: DescMethod,
  channel: grpc.Client,
  request: AnyMessage,
  metadata: grpc.Metadata,
  until: Date,
  signal: AbortSignal | undefined,
  broken: (error: unknown) => void,
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
  if (streamsIn(method)) {
    pump(request, call).catch((error: unknown) => {
      broken(error);
      abort();
    });
  }
  return call;
}
