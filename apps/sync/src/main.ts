import { openProgram } from "@heddle/backends";
import { Config } from "./config.ts";
import { startSync } from "./start.ts";

/** Runs sync alone, until SIGTERM or SIGINT. */
await using program = await openProgram("sync", Config, process);
const { config, parts } = program;
await using sync = await startSync({
  ...parts,
  peers: { registry: config.registry, modelServer: () => config.modelServer },
  fleet: config.fleet,
  limits: config.limits,
});
await program.untilStopped(sync);
