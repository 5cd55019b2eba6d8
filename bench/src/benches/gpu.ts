import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { inspectTensorflow } from "@heddle/executor";
import { models } from "../executor/models.ts";
import { openPeer, writeInputs } from "../executor/peer.ts";
import { executorRunner } from "../executor/runners.ts";
import type { Bench, BenchOptions } from "../main.ts";
import { findPython } from "../python.ts";
import type { Row } from "../row.ts";
import { compared, skipped } from "../summarise.ts";

const out = join(import.meta.dirname, "../../out");
const what = "training steps on a GPU";
/** The device files of NVIDIA's driver: on Linux itself, and under Windows' Linux. */
const devices = ["/dev/nvidia0", "/dev/dxg"];
const rowCount = 4_096;
const full = { rounds: 21, steps: 50 };
const small = { rounds: 7, steps: 20 };

export const bench: Bench = {
  about: "the steps of bench executor on a GPU, in wall time: tfjs-node-gpu beside PyTorch",
  run: async (options) => {
    const missing = whyNot();
    if (missing !== undefined) return [skipped(what, missing)];
    const python = await findPython("torch", options.args["python-torch"], options.say);
    return "missing" in python
      ? [skipped(what, python.missing)]
      : measure(python.executable, options);
  },
};

/** Why nothing can be measured here; undefined when it can. */
function whyNot(): string | undefined {
  if (!devices.some((device) => existsSync(device))) {
    return `no GPU was found: there is neither ${devices.join(" nor ")}`;
  }
  const tensorflow = inspectTensorflow();
  if (tensorflow.kind !== "runs")
    return "there is a GPU, but @tensorflow/tfjs-node-gpu is not installed";
  return tensorflow.gpu
    ? undefined
    : `there is a GPU, but TensorFlow ${tensorflow.version} does not use it: install @tensorflow/tfjs-node-gpu and its CUDA`;
}

async function measure(python: string, { quick, say }: BenchOptions): Promise<Row[]> {
  const { rounds, steps } = quick ? small : full;
  const folder = join(out, "executor");
  mkdirSync(folder, { recursive: true });
  const own = await executorRunner("tensorflow");
  const torch = openPeer(python, "torch-cuda", folder);
  const rows: Row[] = [];
  for (const model of models) {
    writeInputs(folder, model, rowCount);
    const [ours, theirs]: [number[], number[]] = [[], []];
    const once = {
      ours: async () => {
        const started = performance.now();
        await own.run(model, rowCount, steps);
        ours.push(speed((performance.now() - started) / steps));
      },
      theirs: async () =>
        theirs.push(speed((await torch.run(model.name, rowCount, steps)).msPerStep)),
    };
    for (let round = -1; round < rounds; round++) {
      for (const run of round % 2 === 0 ? [once.ours, once.theirs] : [once.theirs, once.ours])
        await run();
    }
    const peer = { name: "PyTorch on the same GPU", values: theirs.slice(1) };
    const measure = `tensorflow on the GPU: ${model.name}, ${rowCount} rows`;
    rows.push(compared(measure, "examples/s", ours.slice(1), peer));
    say(model.name);
  }
  await torch.close();
  await own.close();
  return rows;
}

const speed = (msPerStep: number): number => (rowCount * 1_000) / msPerStep;
