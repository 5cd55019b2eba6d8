import { create, type DescMethod, toBinary } from "@bufbuild/protobuf";
import { AnswerSchema, type Call, CallSchema } from "@heddle/proto/lane";
import { callCancelled, type CallContext, type Implementation } from "@heddle/rpc";
import type { Telemetry } from "@heddle/telemetry";
import { attach, detach, type Detached } from "../frames/bulk.ts";
import { type Connection, decoded, headerOf } from "../connection.ts";
import { badFrame, frameTooLarge, overrun, unknownMethod } from "../errors.ts";
import { failureOf } from "../failure.ts";
import { bodyBytes, type Frame } from "../frames/frame.ts";
import type { LaneLimits } from "../limits.ts";
import type { Pool } from "../frames/pool.ts";

/** The handlers that lanes serve: those of a service's gRPC implementation, or some of them. */
export interface Served {
  readonly implementation: Implementation;
  /** Names of unary methods in the contract, `Pull`. */
  readonly methods: readonly string[];
  readonly telemetry: Telemetry;
}

export interface CallsOptions extends Served {
  readonly connection: Connection;
  /** The caller, for messages. */
  readonly where: string;
  /** Who asked for the lane; handlers see it as the caller. */
  readonly actor: string;
  readonly limits: LaneLimits;
  readonly pool: Pool;
  /** After each answer. */
  readonly onAnswered: () => void;
}

/** The calls of one lane, from its welcome on. */
export interface Calls {
  /** @throws {HeddleError} LANE_BAD_FRAME, LANE_OVERRUN: the lane must end. */
  take(frame: Frame): void;
  /** Calls that are not answered. */
  readonly open: number;
  /** Tells all handlers that nobody waits any more. */
  abandon(): void;
}

export function openCalls(options: CallsOptions): Calls {
  const { connection, where, limits, pool, telemetry, onAnswered } = options;
  const open = new Map<number, AbortController>();
  let openBytes = 0;

  const begin = (frame: Frame): void => {
    const { id, header, payload } = frame;
    const bytes = header.length + payload.length;
    if (open.has(id)) throw badFrame(where, `a second call ${id} before the first was answered`);
    if (open.size === limits.callsMax) throw overrun(where, `more than ${limits.callsMax} calls`);
    if (openBytes + bytes > limits.outstandingBytesMax) {
      throw overrun(where, `more than ${limits.outstandingBytesMax} bytes`);
    }
    const call = headerOf(CallSchema, frame, where);
    const [method, request] = requestOf(options, call, payload);
    const cancel = new AbortController();
    const timer = setTimeout(() => cancel.abort(callCancelled()), call.timeoutMs);
    open.set(id, cancel);
    openBytes += bytes;
    const rooms: Uint8Array<ArrayBuffer>[] = [];
    const room = (wanted: number): Uint8Array<ArrayBuffer> => {
      const memory = pool.take(wanted);
      rooms.push(memory);
      return memory;
    };
    /** The answer may lie in the request's own bytes, so both wait until it is sent. */
    const free = (): void => {
      frame.free();
      for (const memory of rooms.splice(0)) pool.give(memory);
    };
    handled(options, method, call, request, { signal: cancel.signal, room })
      .then(({ message, segments }) => {
        const segmentBytes = segments.map(({ length }) => length);
        const answer = toBinary(AnswerSchema, create(AnswerSchema, { message, segmentBytes }));
        const size = bodyBytes(answer, segments);
        if (size > limits.frameBytesMax) throw frameTooLarge(where, size, limits.frameBytesMax);
        connection.send("answer", id, answer, segments, free);
      })
      .catch((error: unknown) => {
        connection.send("failure", id, failureOf(error, call.method, telemetry));
        free();
      })
      .finally(() => {
        clearTimeout(timer);
        open.delete(id);
        openBytes -= bytes;
        onAnswered();
      });
  };
  return {
    get open() {
      return open.size;
    },
    take: (frame) => {
      if (frame.kind === "call") begin(frame);
      // A call that was answered meanwhile needs no cancelling.
      else if (frame.kind === "cancel") open.get(frame.id)?.abort(callCancelled());
      else throw badFrame(where, `a frame of kind ${frame.kind} from the side that calls`);
    },
    abandon: () => {
      for (const cancel of open.values()) cancel.abort(callCancelled());
    },
  };
}

/** @returns the method, undefined when the lane does not carry it, and its request. */
function requestOf(
  { implementation: { service }, methods, where }: CallsOptions,
  { method: name, message, segmentBytes }: Call,
  payload: Uint8Array,
): [DescMethod | undefined, unknown] {
  const method = methods.includes(name) ? service.methods.find((m) => m.name === name) : undefined;
  if (method === undefined) return [undefined, undefined];
  const decode = () => attach(method.input, message, segmentBytes, payload);
  return [method, decoded(decode, where, `a request that is no ${method.input.name}`)];
}

async function handled(
  { implementation: { service, handlers }, where, actor, telemetry }: CallsOptions,
  method: DescMethod | undefined,
  { method: name, traceparent, timeoutMs }: Call,
  request: unknown,
  given: Pick<CallContext, "signal" | "room">,
): Promise<Detached> {
  const handler = method && handlers[method.localName];
  if (method === undefined || handler === undefined) throw unknownMethod(where, name);
  const run = async (): Promise<Detached> => {
    const deadlineMs = Date.now() + timeoutMs;
    const context: CallContext = { ...given, deadlineMs, actor, traceparent };
    const answer = (await handler(request, context)) as never;
    return detach(method.output, create(method.output, answer));
  };
  if (traceparent === "") return run();
  const full = `${service.typeName}/${method.name}`;
  const attributes = { "rpc.system": "heddle-lane", "rpc.method": full };
  return telemetry.span(full, { kind: "server", parent: traceparent, attributes }, run);
}
