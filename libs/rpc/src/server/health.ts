import * as grpc from "@grpc/grpc-js";
import { HeddleError } from "@heddle/base";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@heddle/proto/health";
import { type AnyMessage, definitionOf, wellFormed } from "../method.ts";
import { statusOf } from "../status.ts";

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
        try {
          const { service } = wellFormed(call.request, Health.method.check);
          if (!known.has(service)) throw unknownService(service, services);
        } catch (error) {
          return reply(statusOf(error, ""));
        }
        const trailer = new grpc.Metadata();
        if (why !== undefined) trailer.set(reasonKey, printable(why));
        reply(null, { status }, trailer);
      },
      watch: (call: AnyMessage) => {
        let here: boolean;
        try {
          here = known.has(wellFormed(call.request, Health.method.watch).service);
        } catch (error) {
          return call.emit("error", statusOf(error, ""));
        }
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

function unknownService(service: string, services: readonly string[]): HeddleError {
  const names = services.length === 0 ? "none" : services.join(", ");
  return new HeddleError(
    "NOT_FOUND",
    "UNKNOWN_SERVICE",
    `no service ${service.slice(0, serviceNameShownMax)} here; there are ${names}`,
  );
}

/** A caller may send any name; what follows it is to be read, too. */
const serviceNameShownMax = 200;

/** Metadata holds printable ASCII, and no more than a peer takes. */
function printable(text: string): string {
  return text.slice(0, reasonShownMax).replace(/[^ -~]/g, "?");
}

const reasonShownMax = 2_000;
