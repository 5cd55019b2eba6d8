import { HeddleError, messageOf, systemClock } from "@heddle/base";
import type { DescService } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { Health } from "@heddle/proto/health";
import { ServerReflection } from "@heddle/proto/reflection";
import type { Telemetry } from "@heddle/telemetry";
import { defaultKeepalive, type Keepalive, keepaliveOptions } from "../client/channels/channel.ts";
import { hostPort } from "../client/channels/target.ts";
import { answer, type CallContext } from "./answer.ts";
import { healthOf } from "./health.ts";
import { type AnyMessage, definitionOf, type Handlers, messageBytesMax } from "../method.ts";
import { type Need, watchNeeds } from "./needs.ts";
import { reflectionOf } from "./reflection.ts";

// Every failure reaches its caller as an error; grpc-js's own lines on stderr would only repeat it.
grpc.setLogVerbosity(grpc.logVerbosity.NONE);

/** A service with its handlers, ready to be served. */
export interface Implementation {
  readonly service: DescService;
  readonly handlers: Readonly<Record<string, (...args: AnyMessage[]) => AnyMessage>>;
}

/** @param handlers one for each method of the service; a missing one is refused by `serve`. */
export function implement<S extends DescService>(
  service: S,
  handlers: Handlers<S, CallContext>,
): Implementation {
  return { service, handlers: handlers as Implementation["handlers"] };
}

/** A service that runs until it is disposed. */
export interface Running extends AsyncDisposable {
  /** `host:port` it listens on. */
  readonly address: string;
}

export interface Server extends Running {
  /** What the health service answers. */
  setServing(serving: boolean): void;
  /** Reports NOT_SERVING, lets calls in flight end for up to `drainMs`, then closes. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ServeOptions {
  /** `host:port`; `127.0.0.1:0` (any free port) when absent. */
  readonly address?: string | undefined;
  readonly implementations: readonly Implementation[];
  readonly telemetry: Telemetry;
  /** How long calls in flight may take when it closes; 2,000 when absent. */
  readonly drainMs?: number;
  /** When a client is taken for gone, and its calls are cancelled. */
  readonly keepalive?: Keepalive;
  /** What must be well for the server to be: its health says NOT_SERVING, and why, while one of them is not. */
  readonly needs?: readonly Need[] | undefined;
}

/**
 * Serves the implementations, `grpc.health.v1.Health` and `grpc.reflection.v1.ServerReflection` on one port.
 *
 * @throws {HeddleError} UNAVAILABLE PORT_IN_USE when another process listens there; INVALID_ARGUMENT ADDRESS_INVALID.
 */
export async function serve(options: ServeOptions): Promise<Server> {
  const { telemetry, drainMs = 2_000 } = options;
  const server = new grpc.Server({
    "grpc.max_receive_message_length": messageBytesMax,
    "grpc.max_send_message_length": messageBytesMax,
    ...keepaliveOptions(options.keepalive ?? defaultKeepalive),
  });
  const services = options.implementations.map(({ service }) => service);
  const health = healthOf(services.map(({ typeName }) => typeName));
  const serverReflectionInfo = reflectionOf([...services, Health]);
  const own = [implement(ServerReflection, { serverReflectionInfo })];
  for (const each of [...options.implementations, ...own]) add(server, each, telemetry);
  server.addService(health.definition, health.handlers);
  const address = await bind(server, options.address ?? "127.0.0.1:0");
  const { needs = [] } = options;
  const deps = { clock: systemClock, log: telemetry.log };
  const watching =
    needs.length === 0
      ? undefined
      : watchNeeds(needs, deps, (problem) => health.setServing(problem === undefined, problem));
  if (watching === undefined) health.setServing(true);
  return {
    address,
    setServing: health.setServing,
    [Symbol.asyncDispose]: async () => {
      const unwatched = watching?.[Symbol.asyncDispose]();
      health.close();
      await closed(server, drainMs);
      await unwatched;
    },
  };
}

/**
 * Serves until it is disposed of, and then closes what the stack held, the last first; the stack holds nothing any more.
 *
 * @throws {HeddleError} as `serve`; the stack is left as it was.
 */
export async function serveOver(
  stack: AsyncDisposableStack,
  options: ServeOptions,
): Promise<Running> {
  const { address } = stack.use(await serve(options));
  const opened = stack.move();
  return { address, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function bind(server: grpc.Server, wanted: string): Promise<string> {
  if (!hostPort.test(wanted)) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "ADDRESS_INVALID",
      `cannot listen on ${JSON.stringify(wanted)}: write host:port, with port 0 for any free one`,
    );
  }
  const host = wanted.slice(0, wanted.lastIndexOf(":"));
  try {
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(wanted, grpc.ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    return `${host}:${port}`;
  } catch (error) {
    throw new HeddleError(
      "UNAVAILABLE",
      "PORT_IN_USE",
      `cannot listen on ${wanted} (${messageOf(error)}); stop what listens there or choose another port`,
      { cause: error },
    );
  }
}

async function closed(server: grpc.Server, drainMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, drainMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function add(server: grpc.Server, implementation: Implementation, telemetry: Telemetry): void {
  const { service, handlers } = implementation;
  const definitions: Record<string, ReturnType<typeof definitionOf>> = {};
  const bound: grpc.UntypedServiceImplementation = {};
  for (const method of service.methods) {
    const handler = handlers[method.localName];
    if (handler === undefined) {
      throw new TypeError(`${service.typeName}.${method.name} has no handler`);
    }
    definitions[method.localName] = definitionOf(method);
    bound[method.localName] = (call: AnyMessage, reply: AnyMessage) => {
      void answer(method, handler.bind(handlers), call, reply, telemetry);
    };
  }
  server.addService(definitions, bound);
}
