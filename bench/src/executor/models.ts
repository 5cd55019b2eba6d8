import { seededRandom } from "@heddle/base";
import type { InputSpec, Step, StepSpec, Tensor, TensorData, TensorFlow } from "@heddle/executor";

/** A model as the peers have it, too (`bench/executor/peer.py`): names of inputs are common. */
export interface Model {
  readonly name: "wide-deep" | "dcn" | "dlrm";
  readonly spec: StepSpec;
  readonly step: Step;
}

type Inputs = Record<string, Tensor>;

const embedded = 26 * 16;
const dense = 13;
const width = embedded + dense;
/** Not differentiated: labels, and features that nobody learns. */
const notLearned = new Set(["label", "dense"]);

/** The dense part of three models, from pulled embeddings to gradients. */
export const models: readonly Model[] = [
  model(
    "wide-deep",
    { ...layers({ d0: [width, 256], d1: [256, 128], d2: [128, 1] }), wide: matrix(width, 1) },
    (tf, x) => {
      const h = tf.concat([at(x, "emb"), at(x, "dense")], 1);
      return tf.add(mlp(tf, x, h, ["d0", "d1", "d2"]), tf.matMul(h, at(x, "wide")));
    },
  ),
  model(
    "dcn",
    {
      ...layers({ c0: [width, width], c1: [width, width], d0: [width, 256], d1: [256, 128] }),
      w_out: matrix(width + 128, 1),
    },
    (tf, x) => {
      const x0 = tf.concat([at(x, "emb"), at(x, "dense")], 1);
      let cross: Tensor = x0;
      for (const name of ["c0", "c1"]) {
        cross = tf.add(tf.mul(x0, layer(tf, x, cross, name)), cross);
      }
      const deep = tf.relu(mlp(tf, x, x0, ["d0", "d1"]));
      return tf.matMul(tf.concat([cross, deep], 1), at(x, "w_out"));
    },
  ),
  model(
    "dlrm",
    layers({
      ...{ p0: [dense, 64], p1: [64, 16] },
      ...{ t0: [16 + 27 * 27, 256], t1: [256, 128], t2: [128, 1] },
    }),
    (tf, x) => {
      const bottom = tf.relu(mlp(tf, x, at(x, "dense"), ["p0", "p1"]));
      const all = tf.reshape(tf.concat([bottom, at(x, "emb")], 1), [-1, 27, 16]);
      const pairs = tf.reshape(tf.matMul(all, all, false, true), [-1, 27 * 27]);
      return mlp(tf, x, tf.concat([bottom, pairs], 1), ["t0", "t1", "t2"]);
    },
  ),
];

/** Small random inputs; labels are 0 and 1. */
export function inputsOf({ spec }: Model, rows: number): Record<string, TensorData> {
  return Object.fromEntries(
    Object.entries(spec.inputs).map(([name, { shape }]) => {
      const random = seededRandom(1).split(name);
      const length = shapeOf(shape, rows).reduce((product, dim) => product * dim, 1);
      const draw = (): number =>
        name === "label" ? random.below(2) : (random.next() - 0.5) * (name === "emb" ? 1 : 0.1);
      return [name, Float32Array.from({ length }, draw)];
    }),
  );
}

export function shapeOf(shape: InputSpec["shape"], rows: number): number[] {
  return shape.map((dim) => (dim === "rows" ? rows : dim));
}

function model(
  name: Model["name"],
  parameters: Readonly<Record<string, InputSpec>>,
  logits: (tf: TensorFlow, x: Inputs) => Tensor,
): Model {
  const inputs: Record<string, InputSpec> = {
    emb: { dtype: "float32", shape: ["rows", embedded] },
    dense: { dtype: "float32", shape: ["rows", dense] },
    label: { dtype: "float32", shape: ["rows"] },
    ...parameters,
  };
  const learned = Object.keys(inputs).filter((key) => !notLearned.has(key));
  const step: Step = (tf, given) => {
    let z: Tensor | undefined;
    const { value, grads } = tf.valueAndGrads((...values: Tensor[]) => {
      const x = { ...given, ...Object.fromEntries(learned.map((key, i) => [key, values[i]])) };
      z = tf.keep(tf.reshape(logits(tf, x as Inputs), [-1]));
      return tf.losses.sigmoidCrossEntropy(at(given, "label"), z);
    })(learned.map((key) => at(given, key)));
    const gradients = learned.map((key, i) => [`grad_${key}`, grads[i] ?? value] as const);
    return { loss: value, predictions: tf.sigmoid(z ?? value), ...Object.fromEntries(gradients) };
  };
  return { name, step, spec: { name, inputs } };
}

function mlp(tf: TensorFlow, x: Inputs, from: Tensor, names: readonly string[]): Tensor {
  return names.reduce((h, name, i) => {
    const y = layer(tf, x, h, name);
    return i < names.length - 1 ? tf.relu(y) : y;
  }, from);
}

function layer(tf: TensorFlow, x: Inputs, h: Tensor, name: string): Tensor {
  return tf.add(tf.matMul(h as never, at(x, `w_${name}`)), at(x, `b_${name}`));
}

function layers(sizes: Readonly<Record<string, readonly number[]>>): Record<string, InputSpec> {
  return Object.fromEntries(
    Object.entries(sizes).flatMap(([name, [from = 0, to = 0]]): [string, InputSpec][] => [
      [`w_${name}`, matrix(from, to)],
      [`b_${name}`, { dtype: "float32", shape: [to] }],
    ]),
  );
}

function matrix(from: number, to: number): InputSpec {
  return { dtype: "float32", shape: [from, to] };
}

function at(inputs: Inputs, name: string): never {
  const tensor = inputs[name];
  if (tensor === undefined) throw new Error(`no input ${name}`);
  return tensor as never;
}
