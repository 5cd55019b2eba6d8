import { join } from "node:path";
import { openBackends } from "@heddle/backends";
import { systemClock } from "@heddle/base";
import { loadConfig } from "@heddle/config";
import { openProcessJobs, passedOn } from "@heddle/jobs";
import { objectVariables } from "@heddle/objects";
import { startTelemetry, telemetryVariables } from "@heddle/telemetry";
import { Config } from "./config.ts";
import { startScheduler } from "./start.ts";

/** Runs a scheduler alone, with its jobs as child processes, until SIGTERM or SIGINT. */
const file = process.argv[2];
const config = loadConfig(Config, {
  environment: process.env,
  prefix: "HEDDLE_SCHEDULER_",
  ...(file === undefined ? {} : { file }),
});
const clock = systemClock;
const random = Math.random;
const { traceEverySteps } = config;

await using telemetry = await startTelemetry({ service: "scheduler", ...config.telemetry });
await using backends = await openBackends(config, { clock, random });
await using jobs = openProcessJobs({
  programs: config.programs,
  node: process.execPath,
  logFolder: join(config.state, "logs"),
  environment: passedOn(["PATH", "HOME", "TMPDIR", "NODE_COMPILE_CACHE", ...objectVariables]),
  clock,
});
await using scheduler = await startScheduler({
  ...backends.portsOf("scheduler", telemetry),
  clock,
  random,
  telemetry,
  jobs,
  peers: config.peers,
  objectsPlace: config.objects,
  jobEnvironment: telemetryVariables({
    ...config.telemetry,
    ...(traceEverySteps !== undefined && { traceEverySteps }),
  }),
  address: config.address,
  limits: config.limits,
});
telemetry.log.info({ config, address: scheduler.address }, "scheduler started");

await new Promise<void>((resolve) => {
  process.once("SIGTERM", resolve);
  process.once("SIGINT", resolve);
});
