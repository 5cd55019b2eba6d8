import * as grpc from "@grpc/grpc-js";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@heddle/proto/health";
import { type AnyMessage, definitionOf } from "./method.ts";

/** Trailing metadata of `Check` that says why a server does not serve. */
const reasonKey = "heddle-not-serving";

/** `grpc.health.v1.Health` for a whole server; one state, watched by any number of callers. */
export function healthImplementation(): {
  readonly definition: grpc.ServiceDefinition;
  readonly handlers: grpc.UntypedServiceImplementation;
  /** @param problem why it does not serve, told with `Check`. */
  setServing(serving: boolean, problem?: string): void;
} {
  let status: Status = Status.NOT_SERVING;
  let why: string | undefined;
  const watchers = new Set<AnyMessage>();
  return {
    definition: Object.fromEntries(
      Health.methods.map((method) => [method.localName, definitionOf(method)]),
    ),
    handlers: {
      check: (_call: AnyMessage, reply: AnyMessage) => {
        const trailer = new grpc.Metadata();
        if (why !== undefined) trailer.set(reasonKey, printable(why));
        reply(null, { status }, trailer);
      },
      watch: (call: AnyMessage) => {
        watchers.add(call);
        call.once("cancelled", () => watchers.delete(call));
        call.write({ status });
      },
    },
    setServing: (serving, problem) => {
      why = serving ? undefined : problem;
      const next = serving ? Status.SERVING : Status.NOT_SERVING;
      if (next === status) return;
      status = next;
      for (const call of watchers) call.write({ status });
    },
  };
}

/** Metadata holds printable ASCII. */
function printable(text: string): string {
  return text.replace(/[^ -~]/g, "?");
}
