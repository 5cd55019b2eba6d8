import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { assert } from "@heddle/base";
import { inspectTensorflow, openExecutor } from "@heddle/executor";
import { findPython, type Needs } from "../../quality/python.ts";
import { inputsOf, type Model, models } from "../executor/models.ts";
import { openPeer, type Peer, type Taken, writeInputs } from "../executor/peer.ts";
import type { Bench, BenchOptions } from "../main.ts";
import type { Row } from "../row.ts";
import { compared, skipped } from "../summarise.ts";

const out = join(import.meta.dirname, "../../out");
const full = { rounds: 11, stepMs: 150, opByOpRowsMax: 4_096, opByOpRounds: 5 };
/** Op by op a step of 4,096 rows takes seconds. */
const small = { rounds: 3, stepMs: 40, opByOpRowsMax: 1_024, opByOpRounds: 3 };
const rowCounts = [1_024, 4_096];
/** Losses that differ by more were not made by the same model. */
const lossError = 1e-4;

/** Runs some steps of a model. */
interface Runner {
  readonly name: string;
  run(model: Model, rows: number, steps: number): Promise<Taken>;
  close(): Promise<void>;
}

const pythonLibraries = {
  tensorflow: { name: "tf.function (Python)", imports: "tensorflow, numpy" },
  torch: { name: "PyTorch eager", imports: "torch, numpy" },
} as const;

export const bench: Bench = {
  about: "CPU time of one training step on one thread: executors, TensorFlow and PyTorch in Python",
  run: async (options) => {
    const size = options.quick ? small : full;
    const folder = join(out, "executor");
    mkdirSync(folder, { recursive: true });
    for (const model of models) for (const rows of rowCounts) writeInputs(folder, model, rows);
    const [runners, absent] = await openRunners(folder, options);
    const rows: Row[] = [];
    for (const model of models) {
      for (const count of rowCounts) {
        const taken = await interleaved(runners, model, count, size);
        rows.push(...rowsOf(taken, `${model.name}, ${count} rows`));
        options.say(`${model.name}, ${count} rows: ${runners.map((r) => r.name).join(", ")}`);
      }
    }
    for (const runner of runners) await runner.close();
    return [...rows, ...absent];
  },
};

async function openRunners(folder: string, options: BenchOptions): Promise<[Runner[], Row[]]> {
  const runners: Runner[] = [await executorRunner("onnx")];
  const absent: Row[] = [];
  const tensorflow = inspectTensorflow();
  if (tensorflow.kind === "runs") runners.push(await executorRunner("tensorflow"));
  else absent.push(skipped("executor tensorflow", `not installed: ${tensorflow.setUp}`));
  runners.push(await executorRunner("tfjs"));
  for (const [library, { name, imports }] of Object.entries(pythonLibraries)) {
    const kind = library as keyof typeof pythonLibraries;
    const requirements = join(import.meta.dirname, `../../executor/requirements-${kind}.txt`);
    const needs: Needs = { name, imports, requirements };
    const named = options.args[`python-${kind}`];
    const python = await findPython(join(out, `.venv-${kind}`), named, options.say, needs);
    if ("missing" in python) absent.push(skipped(name, python.missing));
    else runners.push(peerRunner(name, openPeer(python.executable, kind, folder)));
  }
  return [runners, absent];
}

async function executorRunner(kind: "onnx" | "tensorflow" | "tfjs"): Promise<Runner> {
  const executor = await openExecutor({ kind });
  const compiled = new Map(
    await Promise.all(
      models.map(async (model) => {
        const step = await executor.compile(model.step, model.spec);
        const reason = step.fallbackReason;
        assert(reason === undefined, `${kind} runs ${model.name} as a graph: ${reason}`);
        return [model.name, step] as const;
      }),
    ),
  );
  const known = new Map<string, ReturnType<typeof inputsOf>>();
  return {
    name: kind === "tfjs" ? "op by op (tfjs, WASM)" : kind,
    run: async (model, rows, steps) => {
      const inputs = known.get(`${model.name} ${rows}`) ?? inputsOf(model, rows);
      known.set(`${model.name} ${rows}`, inputs);
      const before = process.cpuUsage();
      let loss = Number.NaN;
      for (let i = 0; i < steps; i++) {
        loss = (await compiled.get(model.name)?.run(inputs, rows))?.["loss"]?.[0] ?? Number.NaN;
      }
      const { user, system } = process.cpuUsage(before);
      return { msPerStep: (user + system) / 1_000 / steps, loss };
    },
    close: async () => {
      for (const step of compiled.values()) await step[Symbol.asyncDispose]();
    },
  };
}

function peerRunner(name: string, peer: Peer): Runner {
  const run: Runner["run"] = (model, rows, steps) => peer.run(model.name, rows, steps);
  return { name, run, close: () => peer.close() };
}

/** All in each round, another first in each. A first step of each warms up, and says how many fit in a round. */
async function interleaved(
  runners: readonly Runner[],
  model: Model,
  rows: number,
  { rounds, stepMs, opByOpRowsMax, opByOpRounds }: typeof full,
): Promise<Map<string, number[]>> {
  const opByOp = (runner: Runner): boolean => runner.name.startsWith("op by op");
  const here = runners.filter((runner) => rows <= opByOpRowsMax || !opByOp(runner));
  const steps = new Map<Runner, number>();
  let loss = Number.NaN;
  for (const runner of here) {
    if (!opByOp(runner)) await runner.run(model, rows, 1);
    const warm = await runner.run(model, rows, 1);
    if (Number.isNaN(loss)) loss = warm.loss;
    const same = Math.abs(warm.loss - loss) < lossError;
    assert(same, `${runner.name} has the loss of the others, ${loss}, not ${warm.loss}`);
    steps.set(runner, Math.max(1, Math.round(stepMs / warm.msPerStep)));
  }
  const taken = new Map<string, number[]>(here.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const at = round % here.length;
    for (const runner of [...here.slice(at), ...here.slice(0, at)]) {
      if (opByOp(runner) && round >= opByOpRounds) continue;
      const { msPerStep } = await runner.run(model, rows, steps.get(runner) ?? 1);
      taken.get(runner.name)?.push(msPerStep);
    }
  }
  return taken;
}

/** Each beside onnx, paired by the rounds that both were measured in. */
function rowsOf(taken: ReadonlyMap<string, readonly number[]>, where: string): Row[] {
  const onnx = taken.get("onnx") ?? [];
  return [...taken]
    .filter(([name]) => name !== "onnx")
    .map(([name, values]) =>
      compared(`onnx: ${where}`, "CPU ms/step", onnx.slice(0, values.length), { name, values }),
    );
}
