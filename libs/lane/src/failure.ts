import { create, toBinary } from "@bufbuild/protobuf";
import { type ErrorCode, HeddleError } from "@heddle/base";
import { type Failure, FailureSchema } from "@heddle/proto/lane";
import type { Telemetry } from "@heddle/telemetry";

/** A failed call as it travels. What is not a HeddleError becomes INTERNAL and keeps its details to our log, as over gRPC. */
export function failureOf(error: unknown, what: string, { log }: Telemetry): Uint8Array {
  if (!(error instanceof HeddleError)) {
    log.error({ method: what, error: String((error as Error)?.stack ?? error) }, "call failed");
  }
  const { code, reason, message, metadata } =
    error instanceof HeddleError
      ? error
      : new HeddleError(
          "INTERNAL",
          "INTERNAL",
          `internal error in ${what}; the service's log has it`,
        );
  return toBinary(
    FailureSchema,
    create(FailureSchema, { code, reason, message, metadata: { ...metadata } }),
  );
}

/** The same error on the caller's side. */
export function errorOf({ code, reason, message, metadata }: Failure): HeddleError {
  return new HeddleError(code as ErrorCode, reason, message, { metadata });
}
