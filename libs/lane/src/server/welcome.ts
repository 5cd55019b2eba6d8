import type { Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { HelloSchema, WelcomeSchema } from "@heddle/proto/lane";
import { readingInto } from "./accepted.ts";
import { type Calls, openCalls, type Served } from "./calls.ts";
import { type Connection, headerOf, openConnection } from "../connection.ts";
import { badFrame, tokenRefused } from "../errors.ts";
import { failureOf } from "../failure.ts";
import type { Frame } from "../frames/frame.ts";
import { type LaneLimits, strangerBytesMax } from "../limits.ts";
import type { Pool } from "../frames/pool.ts";

/** One connection of the listening side. */
export interface ServedLane {
  /** Resolves when nothing comes any more. */
  readonly ended: Promise<void>;
  /** Closes once no call is open, or after `drainMs`. */
  close(drainMs: number): Promise<void>;
}

export interface WelcomeOptions extends Served {
  /** Accepted and paused. */
  readonly socket: Socket;
  readonly actor: string;
  readonly limits: LaneLimits;
  readonly pool: Pool;
  /** Whether the token is good; it is not from then on. */
  readonly redeem: (token: Uint8Array) => boolean;
}

/** Serves a connection: first it must say the token, and until then it can hold and cost next to nothing. */
export function welcome(options: WelcomeOptions): ServedLane {
  const { socket, limits, pool, telemetry, redeem } = options;
  const where = `lane from ${options.actor}`;
  const ended = Promise.withResolvers<void>();
  let calls: Calls | undefined;
  let closing = false;

  const settle = (): void => {
    if (closing && (calls?.open ?? 0) === 0) connection.end();
    // Whoever does not read its answers gets no more of them.
    if (connection.unsentBytes > limits.unreadBytesMax) connection.pause();
  };
  const greet = (frame: Frame): Calls => {
    if (frame.kind !== "hello") throw badFrame(where, `a frame of kind ${frame.kind} before hello`);
    const { token } = headerOf(HelloSchema, frame, where);
    if (!redeem(token)) throw tokenRefused(where);
    clearTimeout(timer);
    const { frameBytesMax, outstandingBytesMax, callsMax } = limits;
    const header = create(WelcomeSchema, { frameBytesMax, outstandingBytesMax, callsMax });
    connection.send("welcome", 0, toBinary(WelcomeSchema, header));
    return openCalls({ ...options, connection, where, onAnswered: settle });
  };
  const connection: Connection = openConnection({
    socket: (onread) => readingInto(socket, onread),
    pool,
    where,
    frameBytesMax: () => (calls === undefined ? strangerBytesMax : limits.frameBytesMax),
    onFrame: (frame) => {
      if (calls === undefined) calls = greet(frame);
      else calls.take(frame);
    },
    onDrain: () => connection.resume(),
    onRefused: (error) => {
      telemetry.log.warn({ reason: error.reason, error: error.message }, "lane refused");
      connection.send("failure", 0, failureOf(error, "lane", telemetry));
    },
    onEnd: () => {
      clearTimeout(timer);
      calls?.abandon();
      ended.resolve();
    },
  });
  const timer = setTimeout(() => connection.end(), limits.handshakeMs);
  return {
    ended: ended.promise,
    close: async (drainMs) => {
      closing = true;
      settle();
      const late = setTimeout(() => connection.destroy(), drainMs);
      await ended.promise;
      clearTimeout(late);
    },
  };
}
