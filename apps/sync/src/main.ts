import { openBackends } from "@heddle/backends";
import { systemClock } from "@heddle/base";
import { loadConfig } from "@heddle/config";
import { startTelemetry } from "@heddle/telemetry";
import { Config } from "./config.ts";
import { startSync } from "./start.ts";

/** Runs sync alone, until SIGTERM or SIGINT. */
const file = process.argv[2];
const config = loadConfig(Config, {
  environment: process.env,
  prefix: "HEDDLE_SYNC_",
  ...(file === undefined ? {} : { file }),
});
const clock = systemClock;
const random = Math.random;

await using telemetry = await startTelemetry({ service: "sync", ...config.telemetry });
await using backends = await openBackends(config, { clock, random });
await using sync = await startSync({
  ...backends.portsOf("sync", telemetry),
  clock,
  random,
  telemetry,
  peers: { registry: config.registry, modelServer: () => config.modelServer },
  fleet: config.fleet,
  address: config.address,
  limits: config.limits,
});
telemetry.log.info({ config, address: sync.address }, "sync started");

await new Promise<void>((resolve) => {
  process.once("SIGTERM", resolve);
  process.once("SIGINT", resolve);
});
