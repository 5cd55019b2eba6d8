import { openProgram } from "@heddle/backends";
import { Config } from "./config.ts";
import { startFeatureStore } from "./start.ts";

/** Runs a feature store alone, until SIGTERM or SIGINT. */
await using program = await openProgram("feature-store", Config, process);
const { config } = program;
await using featureStore = await startFeatureStore({
  ...program.withOnline(program.parts),
  stateFolder: config.state,
  pseudonymKeyFile: config.pseudonymKeyFile,
  limits: config.limits,
});
await program.untilStopped(featureStore);
