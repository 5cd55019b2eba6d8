import { openBackends } from "@heddle/backends";
import { systemClock } from "@heddle/base";
import { loadConfig } from "@heddle/config";
import { startTelemetry } from "@heddle/telemetry";
import { Config } from "./config.ts";
import { startRegistry } from "./start.ts";

/** Runs a registry alone, until SIGTERM or SIGINT. */
const file = process.argv[2];
const config = loadConfig(Config, {
  environment: process.env,
  prefix: "HEDDLE_REGISTRY_",
  ...(file === undefined ? {} : { file }),
});
const clock = systemClock;
const random = Math.random;

await using telemetry = await startTelemetry({ service: "registry", ...config.telemetry });
await using backends = await openBackends(config, { clock, random });
await using registry = await startRegistry({
  ...backends.portsOf("registry", telemetry),
  clock,
  random,
  telemetry,
  peers: { featureStore: () => config.featureStore },
  address: config.address,
  limits: config.limits,
});
telemetry.log.info({ config, address: registry.address }, "registry started");

await new Promise<void>((resolve) => {
  process.once("SIGTERM", resolve);
  process.once("SIGINT", resolve);
});
