import * as grpc from "@grpc/grpc-js";
import { messageBytesMax } from "../../method.ts";

/** One server that calls may go to. */
export interface Channel {
  /** `host:port`. */
  readonly address: string;
  readonly client: grpc.Client;
}

/** Where the calls of one client go. */
export interface Channels {
  /** Settles when enough is known for a first call; undefined since then. */
  opening(): Promise<void> | undefined;
  /**
   * The channel for the next call.
   *
   * @throws {HeddleError} UNAVAILABLE SERVICE_NOT_FOUND.
   */
  next(): Channel;
  close(): void;
}

/** When a peer is taken for gone, milliseconds. */
export interface Keepalive {
  /** So long nothing was heard of it: it is sent a ping. */
  readonly quietMs: number;
  /** So long after the ping, still nothing. */
  readonly answerMs: number;
}

/** Longer than any process of ours holds its event loop, or a busy machine holds it up. */
export const defaultKeepalive: Keepalive = { quietMs: 20_000, answerMs: 20_000 };

/**
 * Calls to a server that is gone without a word (its machine died, a firewall forgot the connection) end with UNAVAILABLE once its
 * keepalive is over, where they would wait for their deadlines.
 */
export function openChannel(address: string, keepalive = defaultKeepalive): Channel {
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), {
    "grpc.max_receive_message_length": messageBytesMax,
    "grpc.max_send_message_length": messageBytesMax,
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 1_000,
    ...keepaliveOptions(keepalive),
  });
  return { address, client };
}

/** For clients and servers alike. */
export function keepaliveOptions({ quietMs, answerMs }: Keepalive): grpc.ChannelOptions {
  return { "grpc.keepalive_time_ms": quietMs, "grpc.keepalive_timeout_ms": answerMs };
}
