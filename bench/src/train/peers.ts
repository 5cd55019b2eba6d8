import { join } from "node:path";
import { openLinePeer } from "../line-peer.ts";
import type { BenchOptions } from "../main.ts";
import { findPython } from "../python.ts";
import type { Row } from "../row.ts";
import { skipped } from "../summarise.ts";

const scripts = join(import.meta.dirname, "../../train");

/** One pass over the data. */
interface Pass {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  /** Mean log loss of all steps, each from before it. */
  readonly loss: number;
}

/** A library of Python that trains the same model on the same rows. */
export interface TrainPeer {
  readonly name: string;
  /** Its processes are several, as Heddle's gang. */
  readonly distributed: boolean;
  train(): Promise<Pass>;
  close(): Promise<void>;
}

const peers = [
  {
    name: "TensorFlow, sparse Adagrad",
    library: "tensorflow",
    script: "peer.py",
    kind: "tensorflow",
  },
  {
    name: "PyTorch + fbgemm, row-wise Adagrad",
    library: "torch",
    script: "peer.py",
    kind: "torch-fbgemm",
  },
  {
    name: "PyTorch + fbgemm, torch.compile",
    library: "torch",
    script: "peer.py",
    kind: "torch-fbgemm-compile",
    slow: true,
  },
  {
    name: "PyTorch, sparse Adagrad",
    library: "torch",
    script: "peer.py",
    kind: "torch-sparse",
    slow: true,
  },
  {
    name: "TensorFlow ParameterServerStrategy, 1 worker, 2 servers",
    library: "tensorflow",
    script: "parameter_servers.py",
  },
] as const;

/** Whatever of the peers this machine has, and rows that say what it has not. */
export async function openTrainPeers(
  folder: string,
  batchSize: number,
  { quick, args, say }: BenchOptions,
): Promise<[TrainPeer[], Row[]]> {
  const found: TrainPeer[] = [];
  const absent: Row[] = [];
  for (const peer of peers) {
    const { name, library, script } = peer;
    if (args["peers"] === "none") {
      absent.push(skipped(`clicks, beside ${name}`, "--peers=none"));
      continue;
    }
    if (quick && "slow" in peer) {
      absent.push(skipped(`clicks, beside ${name}`, "it takes minutes: run without --quick"));
      continue;
    }
    const python = await findPython(library, args[`python-${library}`], say);
    if ("missing" in python) {
      absent.push(skipped(`clicks, beside ${name}`, python.missing));
      continue;
    }
    const kind = "kind" in peer ? [peer.kind] : [];
    const program = [join(scripts, script), ...kind, folder, String(batchSize)];
    const { ask, close } = openLinePeer(name, python.executable, program, "keep");
    const train = async (): Promise<Pass> => {
      const [cpuSeconds = NaN, wallSeconds = NaN, loss = NaN] = (await ask("train"))
        .split(" ")
        .map(Number);
      return { cpuSeconds, wallSeconds, loss };
    };
    found.push({ name, distributed: script === "parameter_servers.py", train, close });
  }
  return [found, absent];
}
