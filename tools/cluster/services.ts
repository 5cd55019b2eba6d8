import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Addresses } from "../../apps/cli/src/host/clients.ts";
import { programs } from "../../apps/cli/src/host/programs.ts";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@heddle/proto/health";
import { connect } from "@heddle/rpc";
import { silentTelemetry } from "@heddle/telemetry";
import { freePort, startServer } from "../../test/servers/src/index.ts";
import type { Servers } from "./servers.ts";
import { settingsOf } from "./settings.ts";

const apps = join(import.meta.dirname, "../../apps");

export interface ServicesOptions {
  readonly state: string;
  readonly servers: Servers;
  /** Key of the pseudonyms. */
  readonly pseudonymKeyFile: string;
}

/** Starts each service as a process of its own, with its settings in a file. */
export async function startServices(
  options: ServicesOptions,
  stack: AsyncDisposableStack,
): Promise<Addresses> {
  const addresses = await freeAddresses();
  const { state, servers, pseudonymKeyFile } = options;
  const { settings, otlpEndpoint } = servers;
  const surroundings = {
    ...{ state, servers: settings, pseudonymKeyFile, programs },
    ...(otlpEndpoint !== undefined && { otlpEndpoint }),
  };
  const all = Object.entries(settingsOf(surroundings, addresses));
  const started = await Promise.all(
    all.map(([service, settings]) => start(service, settings, options)),
  );
  for (const service of started) stack.use(service);
  return addresses;
}

async function freeAddresses(): Promise<Addresses> {
  const address = async (): Promise<string> => `127.0.0.1:${await freePort()}`;
  return {
    registry: await address(),
    featureStore: await address(),
    evaluator: await address(),
    modelServer: await address(),
    sync: await address(),
    scheduler: await address(),
  };
}

function start(
  service: string,
  settings: { readonly address: string },
  { state, servers }: ServicesOptions,
) {
  const folder = join(state, "config");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${service}.json`);
  writeFileSync(file, JSON.stringify(settings, null, 2), { mode: 0o600 });
  return startServer({
    name: service,
    ports: [Number(settings.address.split(":")[1])],
    command: () => ({
      program: process.execPath,
      args: [join(apps, service, "src/main.ts"), file],
      env: servers.environment,
    }),
    url: () => settings.address,
    answers: isServing,
  });
}

async function isServing(address: string): Promise<boolean> {
  await using health = connect(Health, address, {
    telemetry: silentTelemetry(),
    actor: "cluster",
  });
  return (await health.check({}, { timeoutMs: 1_000 })).status === Status.SERVING;
}
