import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { isHeddleError } from "@heddle/base";
import { tensorflowMissing } from "../fixtures/installed.ts";
import { openExecutor } from "../open-executor.ts";
import type { Step } from "../port.ts";
import { findAddon } from "./addon.ts";

const index = new URL("../index.ts", import.meta.url).href;
const options = { skip: tensorflowMissing };

/** Runs a module in a process of its own and gives what it printed. */
async function run(source: string): Promise<{ stdout: string; stderr: string }> {
  const module = `import { openExecutor } from ${JSON.stringify(index)};\n${source}`;
  return promisify(execFile)(process.execPath, ["--input-type=module", "-e", module]);
}

test("the environment names the library and what decides its bits", options, async () => {
  const { kind, environment } = await openExecutor({ kind: "tensorflow" });
  assert.equal(kind, "tensorflow");
  assert.match(environment, /^tensorflow 2\.\d+\.\d+ \(1 thread, \S+.*\); op by op: tfjs-wasm /);
});

test("TensorFlow's threads are the process's: another number is refused", options, async () => {
  await openExecutor({ kind: "tensorflow", threads: 1 });
  await assert.rejects(openExecutor({ kind: "tensorflow", threads: 2 }), (error) => {
    assert.ok(isHeddleError(error, "EXECUTOR_THREADS"));
    assert.match(error.message, /runs with 1 in this process already/);
    return true;
  });
});

test("nothing is printed, the environment stays, and the process ends", options, async () => {
  const { stdout, stderr } = await run(`
    const before = JSON.stringify(process.env);
    const executor = await openExecutor({ kind: "tensorflow", threads: 2 });
    const spec = { name: "double", inputs: { x: { dtype: "float32", shape: ["rows"] } } };
    const step = await executor.compile((tf, { x }) => ({ y: x.mul(2) }), spec);
    await step.run({ x: Float32Array.of(1) }, 1);
    if (JSON.stringify(process.env) !== before) process.stdout.write("changed");`);
  assert.deepEqual({ stdout, stderr }, { stdout: "", stderr: "" });
});

test("a worker thread is refused: TensorFlow's settings are the process's", options, async () => {
  const worker = `
    import("${index}").then(({ openExecutor }) => openExecutor({ kind: "tensorflow" }))
      .catch((error) => process.stdout.write(error.reason + " " + error.message));`;
  const { stdout } = await run(`
    import { Worker } from "node:worker_threads";
    new Worker(${JSON.stringify(worker)}, { eval: true });`);
  assert.match(stdout, /^EXECUTOR_UNAVAILABLE .*cannot start on a worker thread/);
});

test("without libtensorflow it is refused with the command that installs it", async () => {
  const { stdout } = await run(`
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    fs.existsSync = () => false;
    syncBuiltinESMExports();
    const { reason, message } = await openExecutor({ kind: "tensorflow" }).catch((error) => error);
    process.stdout.write(reason + " " + message);`);
  assert.match(stdout, /^EXECUTOR_UNAVAILABLE .*npm run setup:tensorflow/);
});

test("an addon that does not load is named, with what it said", async () => {
  const { stdout } = await run(`
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    fs.existsSync = (file) => file.includes("tfjs-node-gpu/lib");
    syncBuiltinESMExports();
    const { message, cause } = await openExecutor({ kind: "tensorflow" }).catch((error) => error);
    process.stdout.write(message + " because " + cause.message);`);
  assert.match(stdout, /tfjs_binding.node does not load: .* because Cannot find module/);
});

test("names of inputs and outputs may hold any letter", options, async () => {
  const executor = await openExecutor({ kind: "tensorflow" });
  const step: Step = (tf, inputs) => ({
    "a, b": tf.add(inputs["user:id"]!, inputs["wörter, viele"]!),
  });
  const number = { dtype: "float32", shape: ["rows"] } as const;
  const spec = { name: "names", inputs: { "user:id": number, "wörter, viele": number } };
  await using compiled = await executor.compile(step, spec);
  assert.equal(compiled.fallbackReason, undefined);
  const inputs = { "user:id": Float32Array.of(1), "wörter, viele": Float32Array.of(2) };
  assert.deepEqual(await compiled.run(inputs, 1), { "a, b": Float32Array.of(3) });
});

test(
  "a run leaves no tensor in the library, and a closed step no graph and no file",
  options,
  async (t) => {
    const { createRequire } = await import("node:module");
    const addon = createRequire(import.meta.url)(findAddon()!) as {
      getNumOfTensors(): number;
      getNumOfSavedModels(): number;
    };
    const executor = await openExecutor({ kind: "tensorflow" });
    const folder = mkdtempSync(join(tmpdir(), "executor-test-"));
    const tmpdirBefore = process.env["TMPDIR"];
    process.env["TMPDIR"] = folder;
    t.after(() => {
      if (tmpdirBefore === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = tmpdirBefore;
      rmSync(folder, { recursive: true });
    });
    const before = [addon.getNumOfTensors(), addon.getNumOfSavedModels()];
    const spec = {
      name: "look up",
      inputs: {
        table: { dtype: "float32", shape: [2, 1] },
        ids: { dtype: "int32", shape: ["rows"] },
      },
    } as const;
    const step = await executor.compile(
      (tf, { table, ids }) => ({ y: tf.gather(table!, ids!) }),
      spec,
    );
    const table = Float32Array.of(5, 6);
    await step.run({ table, ids: Int32Array.of(1) }, 1);
    await assert.rejects(step.run({ table, ids: Int32Array.of(7) }, 1), /indices\[0\] = 7/);
    await step[Symbol.asyncDispose]();
    assert.deepEqual([addon.getNumOfTensors(), addon.getNumOfSavedModels()], before);
    assert.deepEqual(readdirSync(folder), []);
  },
);
