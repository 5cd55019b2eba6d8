import type { Telemetry } from "./telemetry.ts";

/** Says nothing to anyone: for tests and for commands that only ask. */
export function silentTelemetry(): Telemetry {
  const ignore = (): void => undefined;
  return {
    log: { error: ignore, warn: ignore, info: ignore, debug: ignore },
    span: (_name, _options, run) => run(),
    traceparent: () => undefined,
    recording: () => false,
    link: ignore,
    counter: () => ({ add: ignore }),
    histogram: () => ({ record: ignore }),
    gauge: ignore,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
