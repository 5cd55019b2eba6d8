import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@heddle/base";
import { loadConfig } from "@heddle/config";
import { openLocalLog } from "@heddle/eventlog";
import { openObjects } from "@heddle/objects";
import { openLmdbOnline } from "@heddle/online";
import { openLmdbEnvironment, openLmdbStore } from "@heddle/store";
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
const path = join(config.state, "store");
mkdirSync(path, { recursive: true });

await using telemetry = await startTelemetry({ service: "feature-store", ...config.telemetry });
await using environment = openLmdbEnvironment({ path, mapBytesMax: config.mapBytesMax });
await using eventLog = openLocalLog(environment, { clock, random });
await using online = openLmdbOnline(environment);
await using featureStore = await startFeatureStore({
  store: openLmdbStore(environment, "feature-store"),
  eventLog,
  objects: await openObjects(config.objects),
  online,
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
