import { type ErrorCode, HeddleError } from "@heddle/base";
import * as grpc from "@grpc/grpc-js";
import { standardDetails } from "./status-details.ts";

const reasonKey = "heddle-reason";
const metadataKey = "heddle-metadata-bin";
/** Where clients of other makes look. */
const standardKey = "grpc-status-details-bin";

/** Trailers beyond what an HTTP/2 peer takes (grpc-js: 16 KiB with all headers) break the stream instead of saying what is wrong. */
const [messageBytesMax, metadataBytesMax] = [2_000, 200];

/** The gRPC status of anything a handler threw. What is not a HeddleError becomes INTERNAL without details. */
export function statusOf(error: unknown, traceId: string): Partial<grpc.StatusObject> {
  const metadata = new grpc.Metadata();
  if (!(error instanceof HeddleError)) {
    metadata.set(reasonKey, "INTERNAL");
    return {
      code: grpc.status.INTERNAL,
      details: `internal error; the log has it under trace ${traceId}`,
      metadata,
    };
  }
  metadata.set(reasonKey, error.reason);
  const facts = Object.entries(error.metadata).map(([name, value]) => [
    name,
    shortened(value, metadataBytesMax),
  ]);
  const short = new HeddleError(
    error.code,
    error.reason,
    shortened(error.message, messageBytesMax),
    { metadata: Object.fromEntries(facts) as Record<string, string> },
  );
  metadata.set(metadataKey, Buffer.from(JSON.stringify(short.metadata)));
  const code = grpc.status[error.code];
  metadata.set(standardKey, standardDetails(code, short));
  return { code, details: short.message, metadata };
}

/** Half of a surrogate pair, as a text that was cut may end with, is no URI: grpc-js would throw, and nobody catches that. */
function shortened(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text.toWellFormed();
  return `${bytes.toString("utf8", 0, bytesMax)}… (${bytes.length} bytes)`;
}

/** The HeddleError that a failed call carries, whole; failures of the transport get reasons of their own. */
export function errorOf(error: grpc.ServiceError, target: string): HeddleError {
  const code = (grpc.status[error.code] ?? "INTERNAL") as ErrorCode;
  const reason = error.metadata?.get(reasonKey)[0];
  if (typeof reason === "string") {
    return new HeddleError(code, reason, error.details, {
      metadata: detailsOf(error.metadata),
      cause: error,
    });
  }
  if (tooLarge.test(error.details)) {
    return new HeddleError(
      "RESOURCE_EXHAUSTED",
      "MESSAGE_TOO_LARGE",
      `${target}: ${error.details}; send or ask for less at once (training: a smaller batchSize, or more shards)`,
      { cause: error },
    );
  }
  // Ours have a reason when they lack something: nobody there handles such a call.
  if (code === "UNIMPLEMENTED") {
    return new HeddleError(
      "UNIMPLEMENTED",
      "RPC_UNIMPLEMENTED",
      `${target}: ${error.details}; another service listens there, or one of an older Heddle: correct the address in the settings of whoever calls`,
      { cause: error },
    );
  }
  return new HeddleError(code, `RPC_${code}`, `${target}: ${error.details}`, { cause: error });
}

/** What grpc-js says of a message above `messageBytesMax` of method.ts, whoever noticed it. */
const tooLarge = /message .*larger than/;

function detailsOf(metadata: grpc.Metadata): Record<string, string> {
  const raw = metadata.get(metadataKey)[0];
  return raw instanceof Buffer ? (JSON.parse(raw.toString("utf8")) as Record<string, string>) : {};
}
