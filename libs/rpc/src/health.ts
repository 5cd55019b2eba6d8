import * as grpc from "@grpc/grpc-js";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@heddle/proto/health";
import { type AnyMessage, definitionOf } from "./method.ts";

/** `grpc.health.v1.Health` for a whole server; one state, watched by any number of callers. */
export function healthImplementation(): {
  readonly definition: grpc.ServiceDefinition;
  readonly handlers: grpc.UntypedServiceImplementation;
  setServing(serving: boolean): void;
} {
  let status: Status = Status.NOT_SERVING;
  const watchers = new Set<AnyMessage>();
  return {
    definition: Object.fromEntries(
      Health.methods.map((method) => [method.localName, definitionOf(method)]),
    ),
    handlers: {
      check: (_call: AnyMessage, reply: AnyMessage) => reply(null, { status }),
      watch: (call: AnyMessage) => {
        watchers.add(call);
        call.once("cancelled", () => watchers.delete(call));
        call.write({ status });
      },
    },
    setServing: (serving) => {
      const next = serving ? Status.SERVING : Status.NOT_SERVING;
      if (next === status) return;
      status = next;
      for (const call of watchers) call.write({ status });
    },
  };
}
