import { assert, present } from "@heddle/base";
import { inspectTensorflow, openExecutor, type Precision } from "@heddle/executor";
import type { BenchOptions } from "../main.ts";
import { findPython } from "../python.ts";
import type { Row } from "../row.ts";
import { skipped } from "../summarise.ts";
import { inputsOf, models, type Model } from "./models.ts";
import { openPeer, type PeerKind, type Taken } from "./peer.ts";

/** Runs some steps of a model. */
export interface Runner {
  readonly name: string;
  /** One of Heddle's executors, or what they stand beside. */
  readonly own: boolean;
  /** How far its loss and gradient may lie from the others', relatively. */
  readonly error: number;
  run(model: Model, rows: number, steps: number): Promise<Taken>;
  close(): Promise<void>;
}

/** Executor `tensorflow` with products in bfloat16. */
export const inBfloat16 = "tensorflow, bfloat16";

/** float32 sums in another order. */
const float32Error = 1e-4;
/** bfloat16 keeps 8 bits. */
const bfloat16Error = 0.05;

const peers: readonly { kind: PeerKind; name: string; error: number; slowStart?: true }[] = [
  { kind: "tensorflow", name: "tf.function", error: float32Error },
  { kind: "torch", name: "PyTorch eager", error: float32Error },
  // Half a minute for each model and size.
  { kind: "torch-compile", name: "torch.compile", error: float32Error, slowStart: true },
  { kind: "torch-bfloat16", name: "PyTorch autocast bfloat16", error: bfloat16Error },
];

/** Whatever of executors and peers this machine has, and rows that say what it has not. */
export async function openRunners(
  folder: string,
  { quick, args, say }: BenchOptions,
): Promise<[Runner[], Row[]]> {
  const runners: Runner[] = [await executorRunner("onnx")];
  const absent: Row[] = [];
  const tensorflow = inspectTensorflow();
  if (tensorflow.kind === "runs") {
    runners.push(await executorRunner("tensorflow"));
    const lack = await bfloat16Lack();
    if (lack === undefined) runners.push(await executorRunner("tensorflow", "bfloat16"));
    else absent.push(skipped(inBfloat16, lack));
  } else absent.push(skipped("executor tensorflow", `not installed: ${tensorflow.setUp}`));
  runners.push(await executorRunner("tfjs"));
  for (const { kind, name, error, slowStart } of peers) {
    const library = kind === "tensorflow" ? kind : "torch";
    if (quick && slowStart === true) {
      absent.push(skipped(name, "it compiles for minutes: run without --quick"));
      continue;
    }
    const python = await findPython(library, args[`python-${library}`], say);
    if ("missing" in python) absent.push(skipped(name, python.missing));
    else {
      const { run, close } = openPeer(python.executable, kind, folder);
      runners.push({
        ...{ name, own: false, error, close },
        run: (model, rows, steps) => run(model.name, rows, steps),
      });
    }
  }
  return [runners, absent];
}

/** Why executor `tensorflow` computes in float32 here; undefined when it need not. */
async function bfloat16Lack(): Promise<string | undefined> {
  const executor = await openExecutor({ kind: "tensorflow" });
  const { step, spec } = present(models[0], "a model");
  await using compiled = await executor.compile(step, { ...spec, precision: "bfloat16" });
  return compiled.precisionReason;
}

/** All models on one of the executors, in CPU time of this process. */
export async function executorRunner(
  kind: "onnx" | "tensorflow" | "tfjs",
  precision: Precision = "float32",
): Promise<Runner> {
  const executor = await openExecutor({ kind });
  const compiled = new Map(
    await Promise.all(
      models.map(async (model) => {
        const step = await executor.compile(model.step, { ...model.spec, precision });
        const reason = step.fallbackReason;
        assert(reason === undefined, `${kind} runs ${model.name} as a graph: ${reason}`);
        return [model.name, step] as const;
      }),
    ),
  );
  const known = new Map<string, ReturnType<typeof inputsOf>>();
  return {
    name: nameOf(kind, precision),
    own: kind !== "tfjs",
    error: precision === "float32" ? float32Error : bfloat16Error,
    run: async (model, rows, steps) => {
      const inputs = known.get(`${model.name} ${rows}`) ?? inputsOf(model, rows);
      known.set(`${model.name} ${rows}`, inputs);
      const before = process.cpuUsage();
      let out: Record<string, Float32Array> = {};
      for (let i = 0; i < steps; i++) {
        out = (await compiled.get(model.name)?.run(inputs, rows)) ?? {};
      }
      const { user, system } = process.cpuUsage(before);
      const gradientNorm = Math.hypot(...norms(out["grad_emb"] ?? new Float32Array()));
      const loss = out["loss"]?.[0] ?? Number.NaN;
      return { msPerStep: (user + system) / 1_000 / steps, loss, gradientNorm };
    },
    close: async () => {
      for (const step of compiled.values()) await step[Symbol.asyncDispose]();
    },
  };
}

function nameOf(kind: string, precision: Precision): string {
  if (precision === "bfloat16") return inBfloat16;
  return kind === "tfjs" ? "op by op (tfjs, WASM)" : kind;
}

/** Norms of pieces: a call takes no million arguments. */
function norms(values: Float32Array): number[] {
  const piece = 4_096;
  const pieces = Array.from({ length: Math.ceil(values.length / piece) }, (_, i) => i * piece);
  return pieces.map((from) => Math.hypot(...values.subarray(from, from + piece)));
}
