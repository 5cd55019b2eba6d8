import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@heddle/testkit";
import { z } from "zod";
import { openProgram, programSettings } from "./program.ts";

const schema = z.strictObject(programSettings("unused"));
const processWith = (env: Record<string, string>) =>
  Object.assign(new EventEmitter(), { env, argv: [] }) as unknown as NodeJS.Process;

test("a place that is told as to a host is refused, and the service's own variable named", async () => {
  using folder = temporaryFolder("program");
  const own = {
    HEDDLE_TOY_STORE_STATE: folder.file("state"),
    HEDDLE_TOY_STORE_OBJECTS: folder.file("objects"),
    HEDDLE_TOY_STORE_TELEMETRY__LOG_LEVEL: "error",
  };
  const open = (env: Record<string, string>) => openProgram("toy-store", schema, processWith(env));
  for (const [name, meant] of [
    ["HEDDLE_STORE_URL", "HEDDLE_TOY_STORE_STORE_URL, or storeUrl"],
    ["HEDDLE_STORE_URL_FILE", "HEDDLE_TOY_STORE_STORE_URL_FILE, or storeUrlFile"],
    ["HEDDLE_LOG_URL", "HEDDLE_TOY_STORE_LOG_URL, or logUrl"],
    ["HEDDLE_OBJECTS_URL", "HEDDLE_TOY_STORE_OBJECTS, or objects"],
  ] as const) {
    await assert.rejects(open({ ...own, [name]: "x" }), {
      reason: "CONFIG_INVALID",
      message: `${name} is set, which only a host reads: a service that runs alone reads ${meant} in its settings file; set that, or leave ${name} away`,
    });
  }
  const log = "kafka://127.0.0.1:1/";
  await using program = await open({
    ...{ ...own, HEDDLE_LOG_URL: log, HEDDLE_TOY_STORE_LOG_URL: log },
  });
  assert.equal(program.config.logUrl, log);
});

test("what is expected to go wrong ends the process with one sentence, and only a bug with its stack", () => {
  using folder = temporaryFolder("program");
  const settings = { state: folder.file("state"), objects: folder.file("objects") };
  const run = (given: object, ...how: readonly string[]) => {
    writeFileSync(folder.file("settings.json"), JSON.stringify(given));
    const program = join(import.meta.dirname, "fixtures/toy-service.ts");
    const args = [program, folder.file("settings.json"), ...how];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    return { status, stderr };
  };
  assert.deepEqual(run({ ...settings, adress: "x" }), {
    status: 1,
    stderr: 'toy: settings: unknown key "adress"; did you mean "address"? [CONFIG_INVALID]\n',
  });
  const { status, stderr } = run(settings, "bug");
  assert.equal(status, 1);
  assert.match(stderr, /^toy: TypeError: a bug\n +at .*toy-service\.ts/);
});
