import { openProgram } from "@heddle/backends";
import { Config } from "./config.ts";
import { startFeatureStore } from "./start.ts";

/** Runs a feature store alone, until SIGTERM or SIGINT. */
await using program = await openProgram("feature-store", Config, process);
const { config, parts } = program;
await using featureStore = await startFeatureStore({
  ...parts,
  online: program.openOnline(),
  stateFolder: config.state,
  pseudonymKeyFile: config.pseudonymKeyFile,
  limits: config.limits,
});
await program.untilStopped(featureStore);
