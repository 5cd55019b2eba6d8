import { present } from "@heddle/base";
import type { InputSpec, Step, StepSpec, Tensor, TensorFlow } from "@heddle/executor";
import type { ModelDefinition } from "@heddle/sdk";
import type { Built, Widths } from "@heddle/sdk/architecture";
import { type Network, networkOf } from "./architecture.ts";
import { lossOf, predictionsOf } from "./built.ts";
import { gradientsOf } from "./gradients.ts";
import { predictionInputs, trainingInputs } from "./step-inputs.ts";

/** A step and what it reads. */
export interface ModelStep {
  readonly step: Step;
  readonly spec: StepSpec;
}

type Tensors = Readonly<Record<string, Tensor>>;

/**
 * The step that trains a model.
 *
 * Inputs: `numeric` [rows, numeric inputs] and `embedded` [rows, embedding inputs, 1 + dimension] (each only when the model has
 * such inputs), `label` [rows], `weight` [rows] for a module, and every dense parameter under its name.
 *
 * Outputs: `loss`, the mean loss of the rows; `predictions` [rows], before prior correction; `grad_embedded` and
 * `grad_<parameter>`, gradients of the **sum** of the rows' losses divided by the definition's batch size, so that gradients of
 * parts of a batch add up to that of the whole. Of a moving parameter it is (parameter − update) × rows / batch size: plain
 * gradient descent at the rate 1 − momentum then moves it.
 */
export function trainStep(definition: ModelDefinition): ModelStep {
  const network = networkOf(definition);
  const { widths, settings, build } = network;
  const features = embeddedInputs(widths);
  const learned = [
    ...(widths.fields > 0 ? ["embedded"] : []),
    ...network.parameters.filter(([, { moving }]) => moving === undefined).map(([name]) => name),
  ];
  const moving = network.parameters.filter(([, spec]) => spec.moving).map(([name]) => name);
  const { batchSize } = definition.training;
  const ofModule = definition.architecture.kind === "module";
  const row: InputSpec = { dtype: "float32", shape: ["rows"] };

  const step: Step = (tf, given) => {
    const { label, weight } = { label: given["label"], weight: given["weight"] };
    const training = { label, weight: weight ?? label } as never;
    let built: Built = {};
    let loss: Tensor | undefined;
    let predictions: Tensor | undefined;
    const objective = (...values: Tensor[]): Tensor => {
      const all = { ...given, ...named(learned, values) };
      const inputs = trainingInputs(tf, widths, all, network);
      built = build(tf, inputs, { widths, settings, training });
      predictions = tf.keep(predictionsOf(tf, built, present(label, "label")));
      const { mean, sum } = lossOf(tf, built, present(label, "label"));
      loss = mean;
      for (const update of Object.values(built.updates ?? {})) tf.keep(update);
      return tf.div(sum, batchSize);
    };
    const read = learned.map((name): [string, Tensor] => [name, present(given[name], name)]);
    const gradients = gradientsOf(tf, read, objective);
    const rows = present(label, "label").shape[0] ?? 0;
    return {
      loss: present(loss, "loss"),
      predictions: present(predictions, "predictions"),
      ...prefixed(gradients),
      ...prefixed(moves(tf, moving, given, built, rows / batchSize)),
    };
  };
  const inputs = { ...features, ...denseInputs(network), label: row };
  const spec = { name: `${definition.name} train`, inputs };
  return { step, spec: ofModule ? { ...spec, inputs: { ...inputs, weight: row } } : spec };
}

/**
 * The step that predicts. It reads what the training step makes of its inputs, so that who scores writes each value once.
 *
 * Inputs: `joined` [rows, joined], numeric inputs then embeddings; `wide` [rows, embedding inputs], the wide weights (only when the
 * model has embeddings); every dense parameter. Output: `predictions` [rows], before prior correction.
 */
export function predictStep(definition: ModelDefinition): ModelStep {
  const network = networkOf(definition);
  const { widths, settings, build } = network;
  const { fields, joined } = widths;
  const inputs: Record<string, InputSpec> = {
    joined: { dtype: "float32", shape: ["rows", joined] },
    ...(fields > 0 ? { wide: { dtype: "float32", shape: ["rows", fields] } } : {}),
    ...denseInputs(network),
  };
  const step: Step = (tf, given) => {
    const built = build(tf, predictionInputs(tf, widths, given, network), { widths, settings });
    return { predictions: predictionsOf(tf, built, present(given["joined"], "joined")) };
  };
  return { step, spec: { name: `${definition.name} predict`, inputs } };
}

/** For each moving parameter the gradient that moves it. */
function moves(
  tf: TensorFlow,
  moving: readonly string[],
  given: Tensors,
  { updates = {} }: Built,
  share: number,
): Tensors {
  const unknown = Object.keys(updates).find((name) => !moving.includes(name));
  if (unknown !== undefined) {
    throw new Error(`build gives an update of "${unknown}", which is no moving parameter`);
  }
  return Object.fromEntries(
    moving.map((name) => {
      const [from, to] = [present(given[name], name), updates[name]];
      if (to === undefined) throw new Error(`build gives no update of moving parameter "${name}"`);
      if (to.shape.join() !== from.shape.join()) {
        throw new Error(
          `the update of "${name}" has shape [${to.shape.join()}], the parameter [${from.shape.join()}]`,
        );
      }
      return [name, tf.mul(tf.sub(from, to), share)];
    }),
  );
}

function embeddedInputs({ numeric, fields, dimension }: Widths): Record<string, InputSpec> {
  const dtype = "float32";
  return {
    ...(numeric > 0 ? { numeric: { dtype, shape: ["rows", numeric] } } : {}),
    ...(fields > 0 ? { embedded: { dtype, shape: ["rows", fields, 1 + dimension] } } : {}),
  };
}

const denseInputs = ({ parameters }: Network): Record<string, InputSpec> =>
  Object.fromEntries(
    parameters.map(([name, { shape }]) => [name, { dtype: "float32", shape: [...shape] }]),
  );

const prefixed = (tensors: Tensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`grad_${name}`, tensor]));

const named = (names: readonly string[], values: readonly Tensor[]): Tensors =>
  Object.fromEntries(names.map((name, i) => [name, present(values[i], `tensor ${name}`)]));
