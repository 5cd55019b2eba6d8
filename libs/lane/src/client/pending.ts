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
import { attach, detach } from "../frames/bulk.ts";
import { type Connection, decoded, headerOf } from "../connection.ts";
import { badFrame, frameTooLarge, overrun } from "../errors.ts";
import { errorOf } from "../failure.ts";
import { bodyBytes, type Frame } from "../frames/frame.ts";

export interface LaneCallOptions extends CallOptions {
  /** W3C trace context; the call leaves no span on the other side without. */
  readonly traceparent?: string;
}

/** The calls of one lane that wait for their answers. */
export interface Pending {
  /**
   * A unary call. The bytes of the request must not change before the answer; those of the answer are views of one buffer, which is the caller's.
   *
   * @throws {HeddleError} what the handler threw; DEADLINE_EXCEEDED RPC_DEADLINE_EXCEEDED; UNAVAILABLE LANE_LOST;
   *   RESOURCE_EXHAUSTED LANE_FRAME_TOO_LARGE, LANE_OVERRUN: then nothing was sent.
   */
  call<M extends DescMethodUnary>(
    method: M,
    request: MessageInitShape<M["input"]>,
    options: LaneCallOptions,
  ): Promise<MessageShape<M["output"]>>;
  /**
   * The same call, whose answer lies in memory that is used again.
   *
   * @param read takes what it wants of the answer; its bytes are gone after that. Never called for a call that has failed.
   * @throws {HeddleError} as `call`; what `read` throws.
   */
  callReading<M extends DescMethodUnary, T>(
    method: M,
    request: MessageInitShape<M["input"]>,
    options: LaneCallOptions,
    read: (answer: MessageShape<M["output"]>) => T,
  ): Promise<T>;
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

  /** @param use is what the call resolves with. */
  const begin = async <M extends DescMethodUnary, T>(
    method: M,
    request: MessageInitShape<M["input"]>,
    { timeoutMs, signal, traceparent = "" }: LaneCallOptions,
    use: (answer: MessageShape<M["output"]>, frame: Frame) => T,
  ): Promise<T> => {
    signal?.throwIfAborted();
    const { header, segments } = callOf(method, request, { timeoutMs, traceparent });
    const bytes = bodyBytes(header, segments);
    if (loss !== undefined) throw loss;
    checkRoom(bytes, { calls: waiting.size, bytes: openBytes }, limits, where);
    const id = freeId();
    const answer = Promise.withResolvers<T>();
    let givenUp = false;
    const giveUp = (error: HeddleError): void => {
      givenUp = true;
      connection.send("cancel", id, new Uint8Array());
      answer.reject(error);
    };
    using _patience = patience({ timeoutMs, signal }, `${where}: ${method.name}`, giveUp);
    openBytes += bytes;
    waiting.set(id, {
      bytes,
      answered: (frame) => {
        if (givenUp) return frame.free();
        const message = answerOf<M>(method, frame, where);
        settle(answer, () => use(message, frame));
      },
      failed: answer.reject,
    });
    connection.send("call", id, header, segments);
    return await answer.promise;
  };
  return {
    // Whoever is answered keeps the answer, so its memory is not used again.
    call: (method, request, options) => begin(method, request, options, (answer) => answer),
    callReading: (method, request, options, read) =>
      begin(method, request, options, (answer, frame) => readThenFree(read, answer, frame)),
    take: (frame) => {
      if (frame.kind === "failure" && frame.id === 0) {
        throw errorOf(headerOf(FailureSchema, frame, where));
      }
      const found = waiting.get(frame.id);
      if (found === undefined) throw badFrame(where, `an answer to a call ${frame.id} of nobody`);
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

function readThenFree<A, T>(read: (answer: A) => T, answer: A, { free }: Frame): T {
  try {
    return read(answer);
  } finally {
    free();
  }
}

function settle<T>({ resolve, reject }: PromiseWithResolvers<T>, make: () => T): void {
  try {
    resolve(make());
  } catch (error) {
    reject(error);
  }
}

function callOf<M extends DescMethodUnary>(
  { name, input }: M,
  request: MessageInitShape<M["input"]>,
  given: { readonly timeoutMs: number; readonly traceparent: string },
): { readonly header: Uint8Array; readonly segments: readonly Uint8Array[] } {
  const { message, segments } = detach(input, create(input, request));
  const segmentBytes = segments.map(({ length }) => length);
  const call = create(CallSchema, { ...given, method: name, message, segmentBytes });
  return { header: toBinary(CallSchema, call), segments };
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

/** Waits for a call until its deadline, or until its caller gives up. */
function patience(
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
  what: string,
  giveUp: (error: HeddleError) => void,
): Disposable {
  const late = `${what} was not answered within ${timeoutMs} ms`;
  const timer = setTimeout(
    () => giveUp(new HeddleError("DEADLINE_EXCEEDED", "RPC_DEADLINE_EXCEEDED", late)),
    timeoutMs,
  );
  const given = `${what} was given up by its caller`;
  const onAbort = (): void => giveUp(new HeddleError("CANCELLED", "RPC_CANCELLED", given));
  signal?.addEventListener("abort", onAbort, { once: true });
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    },
  };
}
