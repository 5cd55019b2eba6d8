import { connect as connectSocket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { FailureSchema, HelloSchema, type Welcome, WelcomeSchema } from "@heddle/proto/lane";
import { type Connection, headerOf, openConnection } from "../connection.ts";
import { badFrame, laneLost, unreachable } from "../errors.ts";
import { errorOf } from "../failure.ts";
import type { Frame } from "../frames/frame.ts";
import { defaultLimits, strangerBytesMax } from "../limits.ts";
import { openPending, type Pending } from "./pending.ts";
import { openPool, type Pool } from "../frames/pool.ts";

/** The side of a caller: one lane, taken. */
export interface Lane extends Pick<Pending, "call" | "callReading"> {
  /** Aborts when the lane is gone, with the reason: no later call can succeed. */
  readonly lost: AbortSignal;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ConnectLaneOptions {
  /** How long the other side may take to accept the token. */
  readonly handshakeMs?: number;
  /** Where answers lie; of its own when absent. */
  readonly pool?: Pool;
  /** Gives up connecting; a lane that is there stays. */
  readonly signal: AbortSignal;
}

/**
 * Takes an offered lane.
 *
 * @param address `unix:` and a path, or `tcp:` and `host:port`.
 * @throws {HeddleError} UNAVAILABLE LANE_UNREACHABLE; UNAUTHENTICATED LANE_TOKEN_REFUSED; INVALID_ARGUMENT LANE_BAD_FRAME.
 */
export async function connectLane(
  { address, token }: { readonly address: string; readonly token: Uint8Array },
  {
    handshakeMs = defaultLimits.handshakeMs,
    pool = openPool({ heldBytesMax: defaultLimits.heldBytesMax }),
    signal,
  }: ConnectLaneOptions,
): Promise<Lane> {
  const where = `lane ${address}`;
  const welcomed = Promise.withResolvers<Pending>();
  // Whoever gave up before does not wait for it.
  welcomed.promise.catch(() => undefined);
  const lost = new AbortController();
  let pending: Pending | undefined;

  const place = placeOf(address);
  const connection: Connection = openConnection({
    socket: (onread) => connectSocket({ ...place, onread }),
    pool,
    where,
    frameBytesMax: () => (pending === undefined ? strangerBytesMax : defaultLimits.frameBytesMax),
    onFrame: (frame) => {
      if (pending !== undefined) return pending.take(frame);
      pending = openPending(connection, where, welcomeOf(frame, where));
      welcomed.resolve(pending);
    },
    onEnd: (why) => {
      const error = laneLost(where, why);
      welcomed.reject(why ?? error);
      pending?.lose(error);
      lost.abort(error);
    },
  });
  const giveUp = (): void => connection.end(signal.reason as Error);
  signal.addEventListener("abort", giveUp, { once: true });
  const late = setTimeout(() => connection.destroy(new Error("no welcome in time")), handshakeMs);
  connection.send("hello", 0, toBinary(HelloSchema, create(HelloSchema, { token })));
  try {
    signal.throwIfAborted();
    const { call, callReading } = await welcomed.promise;
    return {
      call,
      callReading,
      lost: lost.signal,
      [Symbol.asyncDispose]: async () => {
        connection.end();
        await connection.closed;
      },
    };
  } catch (error) {
    connection.destroy();
    if (isSystemError(error)) throw unreachable(where, error);
    throw error;
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", giveUp);
  }
}

function welcomeOf(frame: Frame, where: string): Welcome {
  if (frame.kind === "failure") throw errorOf(headerOf(FailureSchema, frame, where));
  if (frame.kind !== "welcome") {
    throw badFrame(where, `a frame of kind ${frame.kind} before welcome`);
  }
  return headerOf(WelcomeSchema, frame, where);
}

function placeOf(address: string): { path: string } | { host: string; port: number } {
  const [, kind, place = ""] = /^(unix|tcp):(.+)$/.exec(address) ?? [];
  if (kind === "unix") return { path: place };
  const colon = place.lastIndexOf(":");
  const port = Number(place.slice(colon + 1));
  if (kind === "tcp" && colon > 0 && port > 0 && port < 65_536) {
    return { host: place.slice(0, colon), port };
  }
  throw unreachable(`lane ${address}`, new Error("an address begins with unix: or tcp:"));
}

const isSystemError = (error: unknown): boolean => error instanceof Error && error.name === "Error";
