import {
  create,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { HeddleError, messageOf } from "@heddle/base";
import type * as grpc from "@grpc/grpc-js";

/** Largest message either side accepts; larger data is streamed in chunks. */
export const messageBytesMax = 16 << 20;

type Rpc<Kind, In, Out, Context> = Kind extends "unary"
  ? (request: In, context: Context) => Promise<Out>
  : Kind extends "server_streaming"
    ? (request: In, context: Context) => AsyncIterable<Out>
    : Kind extends "client_streaming"
      ? (requests: AsyncIterable<In>, context: Context) => Promise<Out>
      : (requests: AsyncIterable<In>, context: Context) => AsyncIterable<Out>;

/** One async function per method; messages in are complete, messages out may leave fields unset. */
export type Handlers<S extends DescService, Context> = {
  [K in keyof S["method"]]: Rpc<
    S["method"][K]["methodKind"],
    MessageShape<S["method"][K]["input"]>,
    MessageInitShape<S["method"][K]["output"]>,
    Context
  >;
};

/** The caller's side of the same methods. */
export type Calls<S extends DescService, Options> = {
  [K in keyof S["method"]]: Rpc<
    S["method"][K]["methodKind"],
    MessageInitShape<S["method"][K]["input"]>,
    MessageShape<S["method"][K]["output"]>,
    Options
  >;
};

/** Any message: this adapter alone handles messages without knowing their types. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyMessage = any;

/** grpc-js's view of a method, with protobuf-es doing the encoding. */
export function definitionOf(method: DescMethod): grpc.MethodDefinition<AnyMessage, AnyMessage> {
  const encode = (schema: DescMethod["input"]) => (value: AnyMessage) => {
    const bytes = toBinary(schema, create(schema, value));
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    originalName: method.localName,
    requestStream: streamsIn(method),
    responseStream: streamsOut(method),
    requestSerialize: encode(method.input),
    requestDeserialize: (bytes) => requestOf(method.input, bytes),
    responseSerialize: encode(method.output),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  };
}

/** Stands where a request should be whose bytes are not of its type. grpc-js would answer what it throws by INTERNAL. */
class Malformed {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

function requestOf(schema: DescMethod["input"], bytes: Buffer): AnyMessage {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    return new Malformed(error);
  }
}

/** @throws {HeddleError} INVALID_ARGUMENT MESSAGE_MALFORMED. */
export function wellFormed(request: AnyMessage, method: DescMethod): AnyMessage {
  if (!(request instanceof Malformed)) return request;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "MESSAGE_MALFORMED",
    `${method.parent.typeName}/${method.name}: the bytes are no ${method.input.typeName} (${messageOf(request.error)}); send what its contract describes`,
    { cause: request.error },
  );
}

/** The same of each request of a stream. */
export async function* allWellFormed(
  requests: AsyncIterable<AnyMessage>,
  method: DescMethod,
): AsyncIterable<AnyMessage> {
  for await (const request of requests) yield wellFormed(request, method);
}

export const streamsIn = (method: DescMethod): boolean =>
  method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";

export const streamsOut = (method: DescMethod): boolean =>
  method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";

/** Writes every message of `source` to a stream, pausing while its buffer is full; stops when the stream has ended. */
export async function pump(
  source: AsyncIterable<AnyMessage>,
  stream: NodeJS.WritableStream & { readonly cancelled?: boolean; readonly destroyed?: boolean },
): Promise<void> {
  for await (const message of source) {
    if (stream.cancelled === true || stream.destroyed === true) return;
    if (!stream.write(message)) await writable(stream);
  }
  stream.end();
}

/** Resolves when the stream can take another message, or never will. */
function writable(stream: NodeJS.EventEmitter): Promise<void> {
  const events = ["drain", "cancelled", "close", "error"];
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}
