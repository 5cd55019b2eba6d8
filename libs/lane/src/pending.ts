import {
  create,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { HeddleError } from "@heddle/base";
import { AnswerSchema, CallSchema, FailureSchema, type Welcome } from "@heddle/proto/lane";
import type { CallOptions } from "@heddle/rpc";
import { attach, detach } from "./bulk.ts";
import { type Connection, decoded, headerOf } from "./connection.ts";
import { badFrame, frameTooLarge, overrun } from "./errors.ts";
import { errorOf } from "./failure.ts";
import { bodyBytes, type Frame } from "./frame.ts";

export interface LaneCallOptions extends CallOptions {
  /** W3C trace context; the call leaves no span on the other side without. */
  readonly traceparent?: string;
}

/** The calls of one lane that wait for their answers. */
export interface Pending {
  /**
   * A unary call. The bytes of the request must not change before the answer; those of the answer are views of one buffer.
   *
   * @throws {HeddleError} what the handler threw; DEADLINE_EXCEEDED RPC_DEADLINE_EXCEEDED; UNAVAILABLE LANE_LOST;
   *   RESOURCE_EXHAUSTED LANE_FRAME_TOO_LARGE, LANE_OVERRUN: then nothing was sent.
   */
  call<M extends DescMethodUnary>(
    method: M,
    request: MessageInitShape<M["input"]>,
    options: LaneCallOptions,
  ): Promise<MessageShape<M["output"]>>;
  /** @throws {HeddleError} LANE_BAD_FRAME: the lane must end. */
  take(frame: Frame): void;
  /** No answer will come. */
  lose(error: HeddleError): void;
}

interface Waiting {
  readonly bytes: number;
  /** @throws {HeddleError} LANE_BAD_FRAME. */
  readonly answered: (frame: Frame) => void;
  readonly failed: (error: unknown) => void;
}

export function openPending(connection: Connection, where: string, limits: Welcome): Pending {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let openBytes = 0;
  let loss: HeddleError | undefined;

  /** Numbers come again after 2³² calls; those that wait keep theirs. */
  const freeId = (): number => {
    do lastId = lastId === 0xffffffff ? 1 : lastId + 1;
    while (waiting.has(lastId));
    return lastId;
  };

  const call: Pending["call"] = async <M extends DescMethodUnary>(
    method: M,
    request: MessageInitShape<M["input"]>,
    { timeoutMs, signal, traceparent = "" }: LaneCallOptions,
  ) => {
    signal?.throwIfAborted();
    const { message, segments } = detach(method.input, create(method.input, request));
    const segmentBytes = segments.map(({ length }) => length);
    const fields = { method: method.name, message, segmentBytes, timeoutMs, traceparent };
    const header = toBinary(CallSchema, create(CallSchema, fields));
    const bytes = bodyBytes(header, segments);
    if (loss !== undefined) throw loss;
    checkRoom(bytes, { calls: waiting.size, bytes: openBytes }, limits, where);
    const id = freeId();
    const answer = Promise.withResolvers<MessageShape<M["output"]>>();
    const giveUp = (error: unknown): void => {
      connection.send("cancel", id, new Uint8Array());
      answer.reject(error);
    };
    const onAbort = (): void => giveUp(cancelled(where, method.name));
    const timer = setTimeout(() => giveUp(late(where, method.name, timeoutMs)), timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    openBytes += bytes;
    waiting.set(id, {
      bytes,
      answered: (frame) => answer.resolve(answerOf<M>(method, frame, where)),
      failed: answer.reject,
    });
    connection.send("call", id, header, segments);
    try {
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  };
  return {
    call,
    take: (frame) => {
      if (frame.kind === "failure" && frame.id === 0) {
        throw errorOf(headerOf(FailureSchema, frame, where));
      }
      const found = waiting.get(frame.id);
      if (found === undefined)
        throw badFrame(where, `an answer to call ${frame.id}, which waits for none`);
      if (frame.kind !== "answer" && frame.kind !== "failure") {
        throw badFrame(where, `a frame of kind ${frame.kind} from the side that answers`);
      }
      if (frame.kind === "answer") found.answered(frame);
      else found.failed(errorOf(headerOf(FailureSchema, frame, where)));
      waiting.delete(frame.id);
      openBytes -= found.bytes;
    },
    lose: (error) => {
      loss = error;
      for (const { failed } of waiting.values()) failed(error);
      waiting.clear();
    },
  };
}

/** Refusing, not queueing: a pull that waited behind the push which waits for it would wait for ever. */
function checkRoom(
  bytes: number,
  open: { readonly calls: number; readonly bytes: number },
  { frameBytesMax, callsMax, outstandingBytesMax }: Welcome,
  where: string,
): void {
  if (bytes > frameBytesMax) throw frameTooLarge(where, bytes, frameBytesMax);
  if (open.calls >= callsMax) throw overrun(where, `more than ${callsMax} calls`);
  if (open.bytes + bytes > outstandingBytesMax) {
    throw overrun(where, `more than ${outstandingBytesMax} bytes`);
  }
}

function answerOf<M extends DescMethodUnary>(
  method: M,
  frame: Frame,
  where: string,
): MessageShape<M["output"]> {
  const { message, segmentBytes } = headerOf(AnswerSchema, frame, where);
  const decode = () => attach<M["output"]>(method.output, message, segmentBytes, frame.payload);
  return decoded(decode, where, `an answer that is no ${method.output.name}`);
}

const late = (where: string, method: string, timeoutMs: number): HeddleError =>
  new HeddleError(
    "DEADLINE_EXCEEDED",
    "RPC_DEADLINE_EXCEEDED",
    `${where}: ${method} was not answered within ${timeoutMs} ms`,
  );

const cancelled = (where: string, method: string): HeddleError =>
  new HeddleError("CANCELLED", "RPC_CANCELLED", `${where}: ${method} was given up by its caller`);
