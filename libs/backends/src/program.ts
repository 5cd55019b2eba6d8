import { inspect } from "node:util";
import { HeddleError, isHeddleError, stopAsked, systemClock } from "@heddle/base";
import { loadConfig } from "@heddle/config";
import { isObjectsUrl } from "@heddle/objects";
import type { Running } from "@heddle/rpc";
import { startTelemetry } from "@heddle/telemetry";
import { telemetrySettings } from "@heddle/telemetry/settings";
import { z } from "zod";
import { type Backends, hasStoreUrl, openBackends } from "./open.ts";
import type { ServiceParts } from "./service-parts.ts";
import { backendSettings } from "./settings.ts";
import { placeVariables } from "./variables.ts";

/**
 * The settings that each service which runs alone has, beside its own.
 *
 * @param folder of its LMDB environment where it is told none.
 */
export const programSettings = (folder: string) => ({
  /** `host:port` to listen on; port 0 takes a free one. */
  address: z.string().default("127.0.0.1:0"),
  ...backendSettings(folder),
  telemetry: telemetrySettings,
});

type ProgramSettings = z.output<z.ZodObject<ReturnType<typeof programSettings>>>;

/** A service's own process. */
export interface Program<Config> extends AsyncDisposable {
  readonly config: Config;
  /** What the service is started with. */
  readonly parts: ServiceParts;
  withOnline: Backends["withOnline"];
  /** Writes to the log that the service runs. Resolves when the process is asked to stop; what was opened is then closed in reverse order. */
  untilStopped(running: Running): Promise<void>;
}

/**
 * Begins the process of a service that runs alone: settings from `HEDDLE_<SERVICE>_*` variables and from the JSON file that argument 2
 * names, telemetry, backends.
 *
 * @param service as it calls itself: `feature-store`.
 * @param host this process, which only a main file may reach for.
 * @throws {HeddleError} as `loadConfig` and `openBackends` do; INVALID_ARGUMENT CONFIG_INVALID for a place that is told as to a host.
 */
export async function openProgram<S extends z.ZodType<ProgramSettings>>(
  service: string,
  schema: S,
  host: NodeJS.Process,
): Promise<Program<z.output<S>>> {
  host.once("uncaughtException", (error) => endWith(error, service, host));
  const asked = stopAsked(host);
  const file = host.argv[2];
  const prefix = `HEDDLE_${service.toUpperCase().replaceAll("-", "_")}_`;
  const { env: environment } = host;
  const config = loadConfig(schema, { environment, prefix, ...(file !== undefined && { file }) });
  checkPlaces(config, environment, prefix);
  const deps = { clock: systemClock, random: Math.random };
  await using stack = new AsyncDisposableStack();
  const telemetry = stack.use(await startTelemetry({ service, ...config.telemetry }));
  const backends = stack.use(await openBackends(config, deps));
  const ports = backends.portsOf(service, telemetry);
  const opened = stack.move();
  return {
    config,
    parts: { ...ports, ...deps, telemetry, address: config.address },
    withOnline: backends.withOnline,
    untilStopped: async ({ address }) => {
      telemetry.log.info({ config, address }, `${service} started`);
      await asked;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** What is expected to go wrong is one sentence; only a bug shows its stack. */
function endWith(error: Error, service: string, host: NodeJS.Process): void {
  const said = isHeddleError(error) ? `${error.message} [${error.reason}]` : inspect(error);
  host.stderr.write(`${service}: ${said}\n`, () => host.exit(1));
}

/**
 * A variable that only a host reads would be passed over, and what should lie on a server be kept here.
 *
 * @throws {HeddleError} INVALID_ARGUMENT CONFIG_INVALID.
 */
function checkPlaces(
  config: ProgramSettings,
  environment: Readonly<Record<string, string | undefined>>,
  prefix: string,
): void {
  const here = {
    storeUrl: !hasStoreUrl(config),
    storeUrlFile: !hasStoreUrl(config),
    logUrl: config.logUrl === undefined,
    objects: !isObjectsUrl(config.objects),
  };
  for (const [place, isHere] of Object.entries(here)) {
    const name = placeVariables[place as keyof typeof here];
    if (!isHere || !environment[name]) continue;
    const own = `${prefix}${place.replaceAll(/[A-Z]/g, "_$&").toUpperCase()}`;
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "CONFIG_INVALID",
      `${name} is set, which only a host reads: a service that runs alone reads ${own}, or ${place} in its settings file; set that, or leave ${name} away`,
    );
  }
}
