import { openBackends } from "@heddle/backends";
import { systemClock } from "@heddle/base";
import { loadConfig } from "@heddle/config";
import { startTelemetry } from "@heddle/telemetry";
import { Config } from "./config.ts";
import { startEvaluator } from "./start.ts";

/** Runs an evaluator alone, until SIGTERM or SIGINT. */
const file = process.argv[2];
const config = loadConfig(Config, {
  environment: process.env,
  prefix: "HEDDLE_EVALUATOR_",
  ...(file === undefined ? {} : { file }),
});
const clock = systemClock;
const random = Math.random;

await using telemetry = await startTelemetry({ service: "evaluator", ...config.telemetry });
await using backends = await openBackends(config, { clock, random });
await using evaluator = await startEvaluator({
  ...backends.portsOf("evaluator", telemetry),
  clock,
  random,
  telemetry,
  peers: { registry: config.registry },
  address: config.address,
});
telemetry.log.info({ config, address: evaluator.address }, "evaluator started");

await new Promise<void>((resolve) => {
  process.once("SIGTERM", resolve);
  process.once("SIGINT", resolve);
});
