import { HeddleError } from "@heddle/base";

/** Who asks for a change, and in which request. */
export interface ChangeContext {
  /** Unique to one request of one caller; a repeated one gets the first answer again. */
  readonly requestId: string;
  /** The request itself, plain data or a protobuf message: the same id with another body is refused. */
  readonly request: unknown;
  /** The identity that the audit record names. */
  readonly actor: string;
  /** W3C trace context, carried into the events. */
  readonly traceparent?: string;
}

/**
 * The context of a change that a call asks for.
 *
 * @throws {HeddleError} INVALID_ARGUMENT REQUEST_ID_MISSING.
 */
export function changeContextOf(
  request: { readonly requestId: string },
  { actor, traceparent }: Pick<ChangeContext, "actor" | "traceparent">,
): ChangeContext {
  const { requestId } = request;
  if (requestId === "") {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "REQUEST_ID_MISSING",
      "a change has a request_id, so that a repeat is no second change: send a unique one",
    );
  }
  const context = { requestId, request, actor };
  return traceparent === undefined ? context : { ...context, traceparent };
}
