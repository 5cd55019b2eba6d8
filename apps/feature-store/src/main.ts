import { openBackends } from "@heddle/backends";
import { systemClock } from "@heddle/base";
import { loadConfig } from "@heddle/config";
import { startTelemetry } from "@heddle/telemetry";
import { Config } from "./config.ts";
import { startFeatureStore } from "./start.ts";

/** Runs a feature store alone, until SIGTERM or SIGINT. */
const file = process.argv[2];
const config = loadConfig(Config, {
  environment: process.env,
  prefix: "HEDDLE_FEATURE_STORE_",
  ...(file === undefined ? {} : { file }),
});
const clock = systemClock;
const random = Math.random;

await using telemetry = await startTelemetry({ service: "feature-store", ...config.telemetry });
await using backends = await openBackends(config, { clock, random });
await using featureStore = await startFeatureStore({
  ...backends.portsOf("feature-store", telemetry),
  online: backends.openOnline(),
  clock,
  random,
  telemetry,
  stateFolder: config.state,
  pseudonymKeyFile: config.pseudonymKeyFile,
  address: config.address,
  limits: config.limits,
});
telemetry.log.info({ config, address: featureStore.address }, "feature store started");

await new Promise<void>((resolve) => {
  process.once("SIGTERM", resolve);
  process.once("SIGINT", resolve);
});
