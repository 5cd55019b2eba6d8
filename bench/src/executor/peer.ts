import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openLinePeer } from "../line-peer.ts";
import { inputsOf, type Model, shapeOf } from "./models.ts";

const script = join(import.meta.dirname, "../../executor/peer.py");

/** What some steps took and gave. */
export interface Taken {
  /** CPU time of all threads, in milliseconds; on a GPU wall time. */
  readonly msPerStep: number;
  readonly loss: number;
  /** Euclidean norm of the embeddings' gradient. */
  readonly gradientNorm: number;
}

/** How a library of Python runs a step. */
export type PeerKind = "tensorflow" | "torch" | "torch-compile" | "torch-bfloat16" | "torch-cuda";

/** A library of Python with the same models, in a process of its own. */
export interface Peer {
  /** @throws {HeddleError} INTERNAL PEER_ENDED. */
  run(model: string, rows: number, steps: number): Promise<Taken>;
  close(): Promise<void>;
}

/** Writes the inputs of a model where the peers read them. */
export function writeInputs(folder: string, model: Model, rows: number): void {
  const place = join(folder, `${model.name}-${rows}`);
  mkdirSync(place, { recursive: true });
  for (const [name, values] of Object.entries(inputsOf(model, rows))) {
    writeFileSync(join(place, `${name}.f32`), values);
  }
  const shapes = Object.entries(model.spec.inputs).map(
    ([name, { shape }]) => [name, shapeOf(shape, rows)] as const,
  );
  writeFileSync(join(place, "spec.json"), JSON.stringify(Object.fromEntries(shapes)));
}

export function openPeer(python: string, kind: PeerKind, folder: string): Peer {
  const { ask, close } = openLinePeer(kind, python, [script, kind, folder], "keep");
  return {
    run: async (model, rows, steps) => {
      const answer = await ask(`${model} ${rows} ${steps}`);
      const [msPerStep = NaN, loss = NaN, gradientNorm = NaN] = answer.split(" ").map(Number);
      return { msPerStep, loss, gradientNorm };
    },
    close,
  };
}
