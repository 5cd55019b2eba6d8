import { openProgram } from "@heddle/backends";
import { Config } from "./config.ts";
import { startEvaluator } from "./start.ts";

/** Runs an evaluator alone, until SIGTERM or SIGINT. */
await using program = await openProgram("evaluator", Config, process);
await using evaluator = await startEvaluator({
  ...program.parts,
  peers: { registry: program.config.registry },
});
await program.untilStopped(evaluator);
