import { messageBytesMax } from "@heddle/rpc";

/** What a lane may hold and how long it waits; both sides obey the listener's. */
export interface LaneLimits {
  /** Header and payload of one frame. */
  readonly frameBytesMax: number;
  /** Of calls that are not answered yet, per lane. */
  readonly outstandingBytesMax: number;
  /** Calls that are not answered yet, per lane. */
  readonly callsMax: number;
  /** Answers that wait for a slow reader, per lane; above it no further call is read. */
  readonly unreadBytesMax: number;
  /** Memory of frames that is kept for later ones, on each side. */
  readonly heldBytesMax: number;
  /** Offers and lanes of one listener. */
  readonly lanesMax: number;
  /** How long an offer stands. */
  readonly offerMs: number;
  /** How long a connection may take to say its token, or to hear that it was taken. */
  readonly handshakeMs: number;
}

/** A frame is as large as a gRPC message, so that whatever goes by lane goes without one, too. */
export const defaultLimits: LaneLimits = {
  frameBytesMax: messageBytesMax,
  outstandingBytesMax: 4 * messageBytesMax,
  callsMax: 64,
  unreadBytesMax: messageBytesMax,
  heldBytesMax: 4 * messageBytesMax,
  lanesMax: 16,
  offerMs: 30_000,
  handshakeMs: 5_000,
};

/** Before the token is known to be good, a frame can hold little more than it. */
export const strangerBytesMax = 1_024;
