import * as grpc from "@grpc/grpc-js";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@heddle/proto/health";
import { type AnyMessage, definitionOf } from "./method.ts";

/** Trailing metadata of `Check` that says why a server does not serve. */
const reasonKey = "heddle-not-serving";

export interface HealthOfServer {
  readonly definition: grpc.ServiceDefinition;
  readonly handlers: grpc.UntypedServiceImplementation;
  /** @param problem why it does not serve, told with `Check`. */
  setServing(serving: boolean, problem?: string): void;
  /** Says NOT_SERVING for good and ends what watches, which would hold up the server's end. */
  close(): void;
}

/**
 * `grpc.health.v1.Health` for a whole server; one state, watched by any number of callers. It may be asked for by the name of a service,
 * too.
 *
 * @param services full names of what the server serves.
 */
export function healthOf(services: readonly string[]): HealthOfServer {
  let status: Status = Status.NOT_SERVING;
  let why: string | undefined;
  const watchers = new Set<AnyMessage>();
  /** Of services that are not here: one might come, so their watches stay open, as the contract has it. */
  const waiting = new Set<AnyMessage>();
  const known = new Set(["", Health.typeName, ...services]);
  const setServing = (serving: boolean, problem?: string): void => {
    why = serving ? undefined : problem;
    const next = serving ? Status.SERVING : Status.NOT_SERVING;
    if (next === status) return;
    status = next;
    for (const call of watchers) call.write({ status });
  };
  return {
    definition: Object.fromEntries(
      Health.methods.map((method) => [method.localName, definitionOf(method)]),
    ),
    handlers: {
      check: (call: AnyMessage, reply: AnyMessage) => {
        const { service } = call.request;
        if (!known.has(service)) return reply(unknownService(service, services));
        const trailer = new grpc.Metadata();
        if (why !== undefined) trailer.set(reasonKey, printable(why));
        reply(null, { status }, trailer);
      },
      watch: (call: AnyMessage) => {
        const here = known.has(call.request.service);
        const set = here ? watchers : waiting;
        set.add(call);
        call.once("cancelled", () => set.delete(call));
        call.write({ status: here ? status : Status.SERVICE_UNKNOWN });
      },
    },
    setServing,
    close: () => {
      setServing(false);
      for (const call of [...watchers, ...waiting]) call.end();
    },
  };
}

function unknownService(service: string, services: readonly string[]): Partial<grpc.StatusObject> {
  const names = services.length === 0 ? "none" : services.join(", ");
  const details = `no service ${service} here; there are ${names}`;
  return { code: grpc.status.NOT_FOUND, details };
}

/** Metadata holds printable ASCII. */
function printable(text: string): string {
  return text.replace(/[^ -~]/g, "?");
}
