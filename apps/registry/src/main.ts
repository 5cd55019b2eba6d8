import { openProgram } from "@heddle/backends";
import { Config } from "./config.ts";
import { startRegistry } from "./start.ts";

/** Runs a registry alone, until SIGTERM or SIGINT. */
await using program = await openProgram("registry", Config, process);
const { config, parts } = program;
await using registry = await startRegistry({
  ...parts,
  peers: { featureStore: () => config.featureStore },
  limits: config.limits,
});
await program.untilStopped(registry);
