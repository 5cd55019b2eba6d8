import { isHeddleError } from "@heddle/base";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { openExecutor } from "./open-executor.ts";

const index = new URL("./index.ts", import.meta.url).href;

/** Runs a module in a process of its own and gives what it printed. */
async function run(source: string): Promise<{ stdout: string; stderr: string }> {
  const module = `import { openExecutor } from ${JSON.stringify(index)};\n${source}`;
  return promisify(execFile)(process.execPath, ["--input-type=module", "-e", module]);
}

/** Makes a package impossible to load. */
const hide = (name: string): string => `
  import { registerHooks } from "node:module";
  registerHooks({ resolve: (request, context, next) => {
    if (request === "${name}") throw new Error("absent");
    return next(request, context);
  } });`;

/** Written in the chained style, which TensorFlow.js leaves out of its core. */
const step = `(tf, { x }) => ({ y: x.mul(2) })`;
const spec = `{ name: "double", inputs: { x: { dtype: "float32", shape: ["rows"] } } }`;

test("auto is onnx where onnxruntime-node loads; the environment names what decides the bits", async () => {
  const auto = await openExecutor({ kind: "auto" });
  assert.equal(auto.kind, "onnx");
  assert.match(
    auto.environment,
    /^onnx 1\.30\.0 \(1 thread, \S+.*\); op by op: tfjs-wasm 4\.22\.0/,
  );
  const two = await openExecutor({ kind: "onnx", threads: 2 });
  assert.match(two.environment, /\(2 threads, /);
  const tfjs = await openExecutor({ kind: "tfjs" });
  assert.equal(tfjs.kind, "tfjs");
  assert.match(tfjs.environment, /^tfjs-wasm 4\.22\.0 \((no )?simd, 1 thread\)$/);
});

test("a number of threads that cannot be is refused", async () => {
  for (const threads of [0, 1.5, -1, 257]) {
    await assert.rejects(openExecutor({ kind: "onnx", threads }), (error) =>
      isHeddleError(error, "EXECUTOR_THREADS"),
    );
  }
  await assert.rejects(openExecutor({ kind: "tfjs", threads: 2 }), /tfjs has one thread/);
});

test("nothing is printed, and an open step does not keep the process alive", async () => {
  const { stdout, stderr } = await run(`
    for (const kind of ["onnx", "tfjs"]) {
      const executor = await openExecutor({ kind });
      const step = await executor.compile(${step}, ${spec});
      await step.run({ x: Float32Array.of(1) }, 1);
      await executor.compile((tf, { x }) => ({ y: tf.cumprod(x) }), ${spec});
    }`);
  assert.deepEqual({ stdout, stderr }, { stdout: "", stderr: "" });
});

test("importing the package loads neither TensorFlow.js nor onnxruntime", async () => {
  const { stdout } = await run(`
    const loaded = process.report.getReport().sharedObjects.filter((name) => name.includes("onnx"));
    process.stdout.write(JSON.stringify([typeof openExecutor, typeof globalThis._tfengine, loaded]));`);
  assert.deepEqual(JSON.parse(stdout), ["function", "undefined", []]);
});

test("uncaught errors stay the process's own affair", async () => {
  const { stdout } = await run(`
    const count = () => process.listenerCount("uncaughtException") + process.listenerCount("unhandledRejection");
    const before = count();
    await openExecutor({ kind: "tfjs" });
    process.stdout.write(String(count() - before));`);
  assert.equal(stdout, "0");
});

test("without onnxruntime-node, auto is tfjs and onnx is refused", async () => {
  const { stdout } = await run(`${hide("onnxruntime-node")}
    const auto = await openExecutor({ kind: "auto" });
    const refused = await openExecutor({ kind: "onnx" }).catch((error) => error.reason + " " + error.cause.message);
    process.stdout.write(JSON.stringify([auto.kind, refused]));`);
  assert.deepEqual(JSON.parse(stdout), ["tfjs", "EXECUTOR_UNAVAILABLE absent"]);
});

test("without WebAssembly the cpu backend serves", async () => {
  const { stdout, stderr } = await run(`${hide("@tensorflow/tfjs-backend-wasm")}
    const executor = await openExecutor({ kind: "tfjs" });
    const step = await executor.compile(${step}, ${spec});
    const { y } = await step.run({ x: Float32Array.of(1, 2) }, 2);
    process.stdout.write(JSON.stringify([executor.environment, step.description, [...y]]));`);
  const [environment, description, y] = JSON.parse(stdout) as [string, string, number[]];
  assert.match(environment, /^tfjs-cpu 4\.22\.0 \(v8 /);
  assert.match(description, /^tfjs-cpu/);
  assert.deepEqual(y, [2, 4]);
  assert.equal(stderr, "");
});
