import { HeddleError, messageOf } from "@heddle/base";

/** Bytes that are no frame, or a frame that has no place here. The lane ends. */
export function badFrame(where: string, what: string, cause?: unknown): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "LANE_BAD_FRAME",
    `${where}: ${what}; the lane is closed: both sides must be of one release`,
    cause === undefined ? {} : { cause },
  );
}

export function frameTooLarge(where: string, bytes: number, frameBytesMax: number): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "LANE_FRAME_TOO_LARGE",
    `${where}: a frame of ${bytes} bytes, where at most ${frameBytesMax} are taken; use smaller batches or more shards`,
    { metadata: { bytes: String(bytes), frameBytesMax: String(frameBytesMax) } },
  );
}

export function checksumDiffers(where: string, what: string): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "LANE_CHECKSUM",
    `${where}: the checksum of ${what} does not hold, nothing of it was used and the lane is closed; look for faulty memory or network`,
  );
}

export function truncated(where: string, bytes: number): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "LANE_TRUNCATED",
    `${where}: the lane ended ${bytes} bytes into a frame, which was dropped; the other side's log says why it ended`,
  );
}

export function tokenRefused(where: string): HeddleError {
  return new HeddleError(
    "UNAUTHENTICATED",
    "LANE_TOKEN_REFUSED",
    `${where}: the token is not the offer's, was used before or came too late; ask for a new lane`,
  );
}

export function overrun(where: string, what: string): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "LANE_OVERRUN",
    `${where}: ${what} would wait for answers; wait for earlier calls first`,
  );
}

export function lanesExhausted(lanesMax: number): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "LANES_EXHAUSTED",
    `${lanesMax} lanes are open or offered here, which is the limit; close one, or call by gRPC`,
  );
}

export function unreachable(where: string, cause: unknown): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "LANE_UNREACHABLE",
    `${where}: nobody takes the lane up there; call by gRPC, or see whether this machine can reach that address`,
    { cause },
  );
}

export function laneLost(where: string, cause?: unknown): HeddleError {
  return new HeddleError(
    "UNAVAILABLE",
    "LANE_LOST",
    `${where}: the lane ended before the answer (${cause === undefined ? "it was closed" : messageOf(cause)}); whether the call had an effect is not known: repeat it by gRPC`,
    cause === undefined ? {} : { cause },
  );
}

export function unknownMethod(where: string, method: string): HeddleError {
  return new HeddleError(
    "UNIMPLEMENTED",
    "LANE_UNKNOWN_METHOD",
    `${where}: the lane does not carry ${method}; call it by gRPC`,
  );
}
