import { present } from "@heddle/base";
import type { InputSpec, Step, StepSpec, Tensor, TensorFlow } from "@heddle/executor";
import type { ModelDefinition } from "@heddle/sdk";
import { shapesOf, type Widths, widthsOf } from "./parameters.ts";

/** A step and what it reads. */
export interface ModelStep {
  readonly step: Step;
  readonly spec: StepSpec;
}

/**
 * The step that trains a model.
 *
 * Inputs: `numeric` [rows, numeric inputs] and `embedded` [rows, embedding inputs, 1 + dimension] (each only when the model has
 * such inputs), `label` [rows], and every dense parameter under its name.
 *
 * Outputs: `loss`, the mean log loss of the rows; `predictions` [rows], before prior correction; `grad_embedded` and
 * `grad_<parameter>`, gradients of the **sum** of the rows' log losses divided by the definition's batch size,
 * so that gradients of parts of a batch add up to that of the whole.
 */
export function trainStep(definition: ModelDefinition): ModelStep {
  const widths = widthsOf(definition);
  const inputs = { ...embeddedInputs(widths), ...denseInputs(definition) };
  const learned = Object.keys(inputs).filter((name) => name !== "numeric");
  const { batchSize } = definition.training;
  const step: Step = (tf, given) => {
    const label = input(given, "label");
    let predictions: Tensor | undefined;
    let losses: Tensor | undefined;
    const objective = (...values: Tensor[]): Tensor => {
      const all = { ...given, ...named(learned, values) };
      const wide = widths.fields === 0 ? {} : { wide: wideOf(tf, widths, all) };
      const logits = logitsOf(tf, definition, { ...all, ...wide, joined: join(tf, widths, all) });
      predictions = tf.keep(tf.sigmoid(logits));
      losses = tf.keep(logLosses(tf, logits, label));
      return tf.div(tf.sum(losses), batchSize);
    };
    const { grads } = tf.valueAndGrads(objective)(learned.map((name) => input(given, name)));
    return {
      loss: tf.mean(present(losses, "losses")),
      predictions: present(predictions, "predictions"),
      ...named(
        learned.map((name) => `grad_${name}`),
        grads,
      ),
    };
  };
  const label: InputSpec = { dtype: "float32", shape: ["rows"] };
  return { step, spec: { name: `${definition.name} train`, inputs: { ...inputs, label } } };
}

/**
 * The step that predicts. It reads what the training step makes of its inputs, so that who scores writes each value once.
 *
 * Inputs: `joined` [rows, joined], numeric inputs then embeddings; `wide` [rows, embedding inputs], the wide weights (only when the
 * model has embeddings); every dense parameter. Output: `predictions` [rows], before prior correction.
 */
export function predictStep(definition: ModelDefinition): ModelStep {
  const { fields, joined } = widthsOf(definition);
  const inputs: Record<string, InputSpec> = {
    joined: { dtype: "float32", shape: ["rows", joined] },
    ...(fields > 0 ? { wide: { dtype: "float32", shape: ["rows", fields] } } : {}),
    ...denseInputs(definition),
  };
  return {
    step: (tf, given) => ({ predictions: tf.sigmoid(logitsOf(tf, definition, given)) }),
    spec: { name: `${definition.name} predict`, inputs },
  };
}

function embeddedInputs({ numeric, fields, dimension }: Widths): Record<string, InputSpec> {
  const dtype = "float32";
  return {
    ...(numeric > 0 ? { numeric: { dtype, shape: ["rows", numeric] } } : {}),
    ...(fields > 0 ? { embedded: { dtype, shape: ["rows", fields, 1 + dimension] } } : {}),
  };
}

const denseInputs = (definition: ModelDefinition): Record<string, InputSpec> =>
  Object.fromEntries(
    shapesOf(definition).map(([name, shape]) => [name, { dtype: "float32", shape }]),
  );

/**
 * Logits of `joined` and `wide`, shape [rows]: the sum of the wide weights, and an output layer over what the deep part gives (wide & deep) or over
 * cross and deep part side by side (DCN-v2, full-rank cross layers: x ← x₀ ⊙ (x W + b) + x).
 *
 * @source Cheng et al., "Wide & Deep Learning for Recommender Systems", 2016; Wang et al., "DCN V2: Improved Deep & Cross
 * Network", WWW 2021, parallel structure.
 */
function logitsOf(tf: TensorFlow, definition: ModelDefinition, given: Inputs): Tensor {
  const { architecture } = definition;
  const joined = input(given, "joined");
  const layer = (x: Tensor, name: string): Tensor =>
    tf.add(tf.matMul(x, input(given, `${name}_weights`)), input(given, `${name}_bias`));
  let deep = joined;
  architecture.hidden.forEach((_, i) => (deep = tf.relu(layer(deep, `deep${i}`))));
  let last = deep;
  if (architecture.kind === "dcn-v2") {
    let cross = joined;
    for (let i = 0; i < architecture.crossLayers; i++) {
      cross = tf.add(tf.mul(joined, layer(cross, `cross${i}`)), cross);
    }
    last = architecture.hidden.length === 0 ? cross : tf.concat([cross, deep], 1);
  }
  const logits = tf.reshape(layer(last, "output"), [-1]);
  return given["wide"] === undefined ? logits : tf.add(logits, tf.sum(given["wide"], 1));
}

/** What the first layers read, shape [rows, joined]. */
function join(tf: TensorFlow, { numeric, fields, dimension }: Widths, given: Inputs): Tensor {
  if (fields === 0) return input(given, "numeric");
  const embeddings = tf.slice(input(given, "embedded"), [0, 0, 1], [-1, fields, dimension]);
  const flat = tf.reshape(embeddings, [-1, fields * dimension]);
  return numeric === 0 ? flat : tf.concat([input(given, "numeric"), flat], 1);
}

/** The wide weights, shape [rows, fields]. */
function wideOf(tf: TensorFlow, { fields }: Widths, given: Inputs): Tensor {
  const weights = tf.slice(input(given, "embedded"), [0, 0, 0], [-1, fields, 1]);
  return tf.reshape(weights, [-1, fields]);
}

/** Log losses of the rows, stable for any logit z: max(z, 0) − z y + log(1 + e^−|z|). */
function logLosses(tf: TensorFlow, logits: Tensor, label: Tensor): Tensor {
  const rest = tf.log1p(tf.exp(tf.neg(tf.abs(logits))));
  return tf.add(tf.sub(tf.relu(logits), tf.mul(logits, label)), rest);
}

type Inputs = Readonly<Record<string, Tensor>>;

function input<T extends Tensor>(given: Inputs, name: string): T {
  return present(given[name], `input ${name}`) as T;
}

function named(names: readonly string[], values: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(names.map((name, i) => [name, present(values[i], `tensor ${name}`)]));
}
