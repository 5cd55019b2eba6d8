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
