import { setTimeout as wait } from "node:timers/promises";
import { stopAsked, systemClock } from "@heddle/base";
import { loadConfig } from "@heddle/config";
import { type Executor, openExecutor } from "@heddle/executor";
import { exitWithParent } from "@heddle/jobs";
import { checkObjects, isObjectsUrl, openFileObjects, openTracedObjects } from "@heddle/objects";
import { startTelemetry } from "@heddle/telemetry";
import { Config } from "./config.ts";
import { startModelServer } from "./start.ts";

/**
 * Runs a model server until SIGTERM or SIGINT. Started by a host over process IPC, it says
 * `{ address }` when it takes calls, and ends with its parent.
 */
const file = process.argv[2];
const config = loadConfig(Config, {
  environment: process.env,
  prefix: "HEDDLE_MODEL_SERVER_",
  ...(file === undefined ? {} : { file }),
});
const stopped = Promise.race([
  stopAsked(process),
  new Promise<void>((resolve) => void process.once("disconnect", resolve)),
]);
exitWithParent();

/** A host that only answers one command is gone by then, and a first version is not there yet. */
const preloadMs = 5_000;
let opening: Promise<Executor> | undefined;
const executor = (): Promise<Executor> => (opening ??= openExecutor(config.executor));

await using telemetry = await startTelemetry({ service: "model-server", ...config.telemetry });
const objects = await openTracedObjects(config.objects, telemetry);
const check = (): Promise<void> => checkObjects(objects);
await using server = await startModelServer({
  objects,
  copies: await openFileObjects({ path: config.copies }),
  executor,
  clock: systemClock,
  telemetry,
  address: config.address,
  limits: config.limits,
  needs: isObjectsUrl(config.objects) ? [{ name: "object store", check }] : [],
});
telemetry.log.info({ config, address: server.address }, "model server started");
process.send?.({ address: server.address });
const ended = await Promise.race([
  stopped.then(() => true),
  wait(preloadMs, false, { ref: false }),
]);
// It takes longer to load than all else, and no load is to wait for it. One that cannot be had ends the process.
if (!ended) await executor();

await stopped;
// The channel to the parent would keep this process alive after everything is closed.
process.channel?.unref();
