import type { HeddleError } from "@heddle/base";
import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { status } from "@grpc/grpc-js";
import { ErrorInfoSchema, StatusSchema } from "@heddle/proto/rpc";

/** Reasons are unique within it. */
const domain = "heddle";
/** Headers are bounded, and the message stands in one already. */
const messageCharactersMax = 2_000;

/**
 * An error as a `google.rpc.Status` with an `ErrorInfo` (reason, domain, facts): the form in which clients of other makes read why a call
 * failed.
 *
 * @source https://google.aip.dev/193
 */
export function standardDetails(code: status, { reason, message, metadata }: HeddleError): Buffer {
  const info = create(ErrorInfoSchema, { reason, domain, metadata: { ...metadata } });
  const whole = create(StatusSchema, {
    code,
    message: message.slice(0, messageCharactersMax),
    details: [anyPack(ErrorInfoSchema, info)],
  });
  return Buffer.from(toBinary(StatusSchema, whole));
}
