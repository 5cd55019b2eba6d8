import { join } from "node:path";
import { openProgram } from "@heddle/backends";
import { openProcessJobs, passedOn } from "@heddle/jobs";
import { objectVariables } from "@heddle/objects";
import { telemetryVariables } from "@heddle/telemetry";
import { Config } from "./config.ts";
import { startScheduler } from "./start.ts";

/** Runs a scheduler alone, with its jobs as child processes, until SIGTERM or SIGINT. */
await using program = await openProgram("scheduler", Config, process);
const { config, parts } = program;
const { traceEverySteps } = config;
await using jobs = openProcessJobs({
  programs: config.programs,
  node: process.execPath,
  logFolder: join(config.state, "logs"),
  environment: passedOn(["PATH", "HOME", "TMPDIR", "NODE_COMPILE_CACHE", ...objectVariables]),
  clock: parts.clock,
});
await using scheduler = await startScheduler({
  ...parts,
  jobs,
  peers: config.peers,
  objectsPlace: config.objects,
  jobEnvironment: telemetryVariables({
    ...config.telemetry,
    ...(traceEverySteps !== undefined && { traceEverySteps }),
  }),
  limits: config.limits,
});
await program.untilStopped(scheduler);
