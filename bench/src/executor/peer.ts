import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openLinePeer } from "../line-peer.ts";
import { inputsOf, type Model, shapeOf } from "./models.ts";

const script = join(import.meta.dirname, "../../executor/peer.py");

/** What some steps took and gave. */
export interface Taken {
  /** CPU time of all threads, in milliseconds. */
  readonly msPerStep: number;
  readonly loss: number;
}

/** A library of Python with the same models, in a process of its own. */
export interface Peer {
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

export function openPeer(python: string, library: "tensorflow" | "torch", folder: string): Peer {
  const { ask, close } = openLinePeer(library, python, [script, library, folder], "ignore");
  return {
    run: async (model, rows, steps) => {
      const answer = await ask(`${model} ${rows} ${steps}`);
      const [msPerStep = Number.NaN, loss = Number.NaN] = answer.split(" ").map(Number);
      return { msPerStep, loss };
    },
    close,
  };
}
