import type { Tensor, TensorFlow } from "../port.ts";
import { type Draw, drawNumbers, trialSeed } from "../random/draw.ts";
import type { DrawSource, StepTensorFlow } from "../random/operations.ts";
import { refuse } from "./not-recordable.ts";

export type DType = "float32" | "int32" | "bool";

export type Values = Float32Array | Int32Array | Uint8Array;

/** Where a recorded tensor came from. */
export type Origin =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "constant" }
  | { readonly kind: "draw"; readonly place: number }
  | { readonly kind: "call"; readonly call: number; readonly output: number };

/** A tensor of the recording; its place in the list is its id, equal in every recording of one program. */
export interface RecordedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly origin: Origin;
  /** Present when nothing but constants went into it. */
  readonly values?: Values;
}

/** One kernel call, with the ids of its tensors. */
export interface RecordedCall {
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, number>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly outputs: readonly number[];
}

export interface Recording {
  readonly tensors: readonly RecordedTensor[];
  readonly calls: readonly RecordedCall[];
  /** What the random operations were asked for, in their order. */
  readonly draws: readonly Draw[];
  readonly outputs: Readonly<Record<string, number>>;
}

/** The part of TensorFlow.js's engine through which every kernel and every read passes. */
interface Engine {
  runKernel(kernel: string, inputs: object, attrs?: object): Tensor | Tensor[];
  readSync(dataId: object): Values;
  read(dataId: object): Promise<Values>;
}

/** What takes the place of computing while a step is recorded. */
export interface StandIn {
  /** Told of each outermost kernel call before it runs: its place, were it a call of its own, and whether its inputs are constants. */
  announce(kernel: string, call: number, known: boolean): void;
  draw(draw: Draw, shape: readonly number[]): Values;
}

/**
 * Runs `body` once and writes down every kernel it calls. It watches TensorFlow.js's engine, so it sees the
 * gradients too, and needs nothing of the step but that it is a function. The current backend must be `cpu`,
 * whose Identity shares the buffer: a buffer, a type and a shape then name a tensor.
 *
 * @param standIn where nothing is to be computed.
 * @throws {NotRecordable} when the step reads a value, or draws a random number by itself.
 */
export function record(
  { tf, forSteps }: { readonly tf: TensorFlow; readonly forSteps: StepTensorFlow },
  inputs: Readonly<Record<string, Tensor>>,
  body: (tf: TensorFlow) => Record<string, Tensor>,
  standIn?: StandIn,
): Recording {
  const engine = tf.engine() as unknown as Engine;
  const recorder = new Recorder((id) => readSync.call(engine, id));
  const { runKernel, readSync, read } = engine;
  const random = Math.random;
  let depth = 0;
  for (const [name, tensor] of Object.entries(inputs)) recorder.input(name, tensor);

  const watched: Engine = {
    runKernel(kernel, ins, attrs) {
      const call = depth === 0 ? recorder.begin(kernel, ins, attrs) : undefined;
      if (call !== undefined) standIn?.announce(kernel, recorder.called, call.known);
      depth += 1;
      try {
        const out = runKernel.call(engine, kernel, ins, attrs);
        call?.made(Array.isArray(out) ? out : [out]);
        return out;
      } finally {
        depth -= 1;
      }
    },
    readSync(id) {
      if (depth === 0) recorder.readInJavaScript(id);
      return readSync.call(engine, id);
    },
    read(id) {
      recorder.readInJavaScript(id);
      return read.call(engine, id);
    },
  };
  Object.assign(engine, watched);
  Math.random = () => {
    recorder.object(
      "the step draws a random number that no seed names: call dropout, randomUniform, randomNormal or truncatedNormal of " +
        "the tf it is given, or pass random numbers as an input",
    );
    return random();
  };
  try {
    const draw: DrawSource = (wanted, shape) => {
      const numbers =
        standIn?.draw(wanted, shape) ??
        drawNumbers(wanted, recorder.drawn, trialSeed, tf.util.sizeFromShape([...shape]));
      const tensor = tf.tensor(numbers, [...shape], wanted.dtype);
      recorder.draw(tensor, wanted);
      return tensor;
    };
    return recorder.finish(forSteps.drawing(draw, () => body(forSteps.tf)));
  } finally {
    Math.random = random;
    for (const name of Object.keys(watched)) Reflect.deleteProperty(engine, name);
  }
}

class Recorder {
  readonly #read: (dataId: object) => Values;
  readonly #tensors: RecordedTensor[] = [];
  readonly #calls: RecordedCall[] = [];
  readonly #draws: Draw[] = [];
  readonly #idOf = new Map<object, Map<string, number>>();
  #objection: string | undefined;

  constructor(read: (dataId: object) => Values) {
    this.#read = read;
  }

  input(name: string, tensor: Tensor): void {
    this.#add(tensor, { kind: "input", name });
  }

  /** How many calls have been noted. */
  get called(): number {
    return this.#calls.length;
  }

  /** How many random operations were called. */
  get drawn(): number {
    return this.#draws.length;
  }

  draw(tensor: Tensor, draw: Draw): void {
    this.#add(tensor, { kind: "draw", place: this.#draws.length });
    this.#draws.push(draw);
  }

  /** Notes a kernel before it runs; `made` notes its outputs. */
  begin(
    kernel: string,
    inputs: object,
    attrs: object | undefined,
  ): { readonly known: boolean; made(out: readonly Tensor[]): void } {
    const ids: Record<string, number> = {};
    for (const [name, tensor] of Object.entries(inputs) as [string, Tensor | null | undefined][]) {
      if (tensor != null) ids[name] = this.#id(tensor);
    }
    const known = Object.values(ids).every((id) => this.#tensors[id]?.values !== undefined);
    const plain = JSON.parse(JSON.stringify(attrs ?? {})) as Record<string, unknown>;
    const made = (out: readonly Tensor[]): void => {
      const call = this.#calls.length;
      const seen = out.map((tensor) => this.#find(tensor));
      // A call that gives back what it was given (a cast to the same type, a clone) is no call.
      if (seen.every((id) => id !== undefined)) return;
      const outputs = out.map(
        (tensor, output) =>
          seen[output] ?? this.#add(tensor, { kind: "call", call, output }, known),
      );
      this.#calls.push({ kernel, inputs: ids, attrs: plain, outputs });
    };
    return { known, made };
  }

  readInJavaScript(dataId: object): void {
    for (const id of this.#idOf.get(dataId)?.values() ?? []) {
      const tensor = this.#tensors[id];
      // A constant may be read: if it changes, the two recordings tell.
      if (tensor === undefined || tensor.values !== undefined) continue;
      const { origin } = tensor;
      const what = origin.kind === "input" ? `input "${origin.name}"` : "a tensor";
      this.object(
        `the step reads the value of ${what} in JavaScript: keep the decision in tensors`,
      );
    }
  }

  /** Notes why this cannot be a graph. The step goes on undisturbed: it might catch what is thrown at it. */
  object(reason: string): void {
    this.#objection ??= reason;
  }

  finish(results: Readonly<Record<string, Tensor>>): Recording {
    if (this.#objection !== undefined) refuse(this.#objection);
    const outputs: Record<string, number> = {};
    for (const [name, tensor] of Object.entries(results)) outputs[name] = this.#id(tensor);
    return { tensors: this.#tensors, calls: this.#calls, draws: this.#draws, outputs };
  }

  #find(tensor: Tensor): number | undefined {
    return this.#idOf.get(tensor.dataId)?.get(keyOf(tensor));
  }

  /** The id of a tensor; one that no kernel made was made in JavaScript, so it is a constant. */
  #id(tensor: Tensor): number {
    return this.#find(tensor) ?? this.#add(tensor, { kind: "constant" }, true);
  }

  #add(tensor: Tensor, origin: Origin, known = false): number {
    const dtype = tensor.dtype;
    if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool") {
      refuse(`the step makes a tensor of type ${dtype}; a graph holds float32, int32 and bool`);
    }
    const views = this.#idOf.get(tensor.dataId) ?? new Map<string, number>();
    this.#idOf.set(tensor.dataId, views);
    const id = this.#tensors.length;
    views.set(keyOf(tensor), id);
    const values = known ? { values: this.#read(tensor.dataId).slice() } : {};
    this.#tensors.push({ dtype, shape: [...tensor.shape], origin, ...values });
    return id;
  }
}

/** One buffer carries several tensors, because a reshape or a widening cast does not copy it. */
function keyOf(tensor: Tensor): string {
  return `${tensor.dtype}:${tensor.shape.join()}`;
}
