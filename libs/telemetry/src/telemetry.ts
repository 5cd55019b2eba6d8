/** Structured log: facts in fields, a fixed lower-case sentence as message. */
export interface Logger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Which side of a call or of a message a span is; none where it is work within a process. */
export type SpanKind = "server" | "client" | "producer" | "consumer";

export interface SpanOptions {
  /** `internal` when absent. */
  readonly kind?: SpanKind;
  /** What is known when it begins. */
  readonly attributes?: Attributes;
  /** W3C traceparent of the span's parent; the active span when absent. */
  readonly parent?: string;
}

/** What a service says about itself while it works. */
export interface Telemetry {
  readonly log: Logger;
  /** Runs `run` inside a span; an error is recorded on it and passes on. */
  span<T>(name: string, options: SpanOptions, run: () => Promise<T>): Promise<T>;
  /** W3C traceparent of the active span: put it into job inputs and events. */
  traceparent(): string | undefined;
  /** Whether what runs now is in a span that is kept. Where it is not, a call that many make (of a port, of a step) makes none. */
  recording(): boolean;
  /**
   * Notes on the active span that the span of this W3C traceparent, of another trace, led to it: what was ingested then is trained now.
   * A span keeps 128 of them.
   */
  link(traceparent: string): void;
  counter(name: string, unit: string, description: string): Counter;
  histogram(name: string, unit: string, description: string): Histogram;
  /** Reports what `read` returns each time metrics are exported. */
  gauge(name: string, unit: string, description: string, read: () => number): void;
  /** Writes out what is buffered and closes. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Counter {
  add(value: number, attributes?: Attributes): void;
}

export interface Histogram {
  record(value: number, attributes?: Attributes): void;
}
