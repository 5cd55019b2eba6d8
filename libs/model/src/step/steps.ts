import { present } from "@heddle/base";
import type { InputSpec, Step, StepSpec, Tensor, TensorFlow } from "@heddle/executor";
import type { ModelDefinition } from "@heddle/sdk";
import type { Built } from "@heddle/sdk/architecture";
import { type Network, networkOf, widthsOf } from "../network/architecture.ts";
import { lossOf, predictionsOf } from "../network/built.ts";
import { gradientsOf } from "./gradients.ts";
import { ownInputs, predictionInputs, termInputs, trainingInputs } from "./step-inputs.ts";
import { mixed } from "./mixed.ts";

/** A step and what it reads. */
export interface ModelStep {
  readonly step: Step;
  readonly spec: StepSpec;
}

type Tensors = Readonly<Record<string, Tensor>>;

/**
 * The step that trains a model, all its terms.
 *
 * Inputs: `numeric` [rows, numeric inputs] and `embedded` [rows, embedding inputs, 1 + dimension] (each only when the model has
 * such inputs, and the latter again as `short_embedded` for a short-term model), `label` [rows], `weight` [rows] for a module, and every
 * dense parameter under its name.
 *
 * Outputs: `loss`, the mean loss of the rows, of several terms the mean by their shares; `predictions` [rows], before prior correction;
 * `grad_embedded` and `grad_<parameter>`, gradients of the **sum** of the rows' losses (of all terms, which share no parameter) divided
 * by the definition's batch size, so that gradients of parts of a batch add up to that of the whole. Of a moving parameter it is
 * (parameter − update) × rows / batch size: plain gradient descent at the rate 1 − momentum then moves it.
 */
export function trainStep(definition: ModelDefinition): ModelStep {
  const network = networkOf(definition);
  const { widths, settings, build, terms } = network;
  const moving = network.parameters.filter(([, spec]) => spec.moving).map(([name]) => name);
  const learned = network.parameters.filter(([, spec]) => !spec.moving).map(([name]) => name);
  const learnedOf = terms.flatMap(({ prefix, embedded }) => [
    ...(widths.fields > 0 ? [embedded] : []),
    ...learned.map((name) => `${prefix}${name}`),
  ]);
  const { batchSize } = definition.training;
  const ofModule = definition.architecture.kind === "module";
  const row: InputSpec = { dtype: "float32", shape: ["rows"] };

  const step: Step = (tf, given) => {
    const label = present(given["label"], "label");
    const training = { label, weight: given["weight"] ?? label } as never;
    const built: Built[] = [];
    let loss: Tensor | undefined;
    let predictions: Tensor | undefined;
    const objective = (...values: Tensor[]): Tensor => {
      const all = { ...given, ...named(learnedOf, values) };
      const losses = terms.map((term) => {
        const inputs = trainingInputs(tf, widths, ownInputs(term, all, network), network);
        const gives = build(tf, inputs, { widths, settings, training });
        built.push(gives);
        const probabilities = predictionsOf(tf, gives, label);
        for (const update of Object.values(gives.updates ?? {})) tf.keep(update);
        return { probabilities, ...lossOf(tf, gives, label) };
      });
      predictions = tf.keep(
        mixed(
          tf,
          terms,
          losses.map(({ probabilities }) => probabilities),
        ),
      );
      loss = tf.keep(
        mixed(
          tf,
          terms,
          losses.map(({ mean }) => mean),
        ),
      );
      const sums = losses.map(({ sum }) => sum);
      return tf.div(
        sums.reduce((one, other) => tf.add(one, other)),
        batchSize,
      );
    };
    const read = learnedOf.map((name): [string, Tensor] => [name, present(given[name], name)]);
    const embedded = terms.map((term) => term.embedded);
    const gradients = gradientsOf(tf, read, objective, embedded);
    const share = (label.shape[0] ?? 0) / batchSize;
    const moved = terms.map((term, n) =>
      prefixed(
        `grad_${term.prefix}`,
        moves(tf, moving, ownInputs(term, given, network), built[n] ?? {}, share),
      ),
    );
    return {
      loss: present(loss, "loss"),
      predictions: present(predictions, "predictions"),
      ...prefixed("grad_", gradients),
      ...(Object.assign({}, ...moved) as Tensors),
    };
  };
  const inputs = { ...featureInputs(network), ...denseInputs(network), label: row };
  const spec = { name: `${definition.name} train`, inputs };
  return { step, spec: ofModule ? { ...spec, inputs: { ...inputs, weight: row } } : spec };
}

/**
 * The step that predicts. It reads what the training step makes of its inputs, so that who scores writes each value once.
 *
 * Inputs: `joined` [rows, joined], numeric inputs then embeddings, as `widthsOf` has them; `wide` [rows, embedding inputs], the wide
 * weights (only when the model has embeddings); every dense parameter. Output: `predictions` [rows], before prior correction.
 */
export function predictStep(definition: ModelDefinition): ModelStep {
  const network = networkOf(definition);
  const { widths, settings, build, terms } = network;
  const { fields, joined } = widthsOf(definition);
  const inputs: Record<string, InputSpec> = {
    joined: { dtype: "float32", shape: ["rows", joined] },
    ...(fields > 0 ? { wide: { dtype: "float32", shape: ["rows", fields] } } : {}),
    ...denseInputs(network),
  };
  const step: Step = (tf, given) => {
    const predictions = terms.map((_, n) => {
      const read =
        terms.length === 1
          ? predictionInputs(tf, widths, given, network)
          : termInputs(tf, widths, given, network, n);
      const built = build(tf, read, { widths, settings });
      return predictionsOf(tf, built, present(given["joined"], "joined"));
    });
    return { predictions: mixed(tf, terms, predictions) };
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

function featureInputs({ widths, terms }: Network): Record<string, InputSpec> {
  const { numeric, fields, dimension } = widths;
  const dtype = "float32";
  const rows: InputSpec = { dtype, shape: ["rows", fields, 1 + dimension] };
  return {
    ...(numeric > 0 ? { numeric: { dtype, shape: ["rows", numeric] } } : {}),
    ...(fields > 0 ? Object.fromEntries(terms.map(({ embedded }) => [embedded, rows])) : {}),
  };
}

const denseInputs = ({ parameters, terms }: Network): Record<string, InputSpec> =>
  Object.fromEntries(
    terms.flatMap(({ prefix }) =>
      parameters.map(([name, { shape }]) => [
        `${prefix}${name}`,
        { dtype: "float32", shape: [...shape] },
      ]),
    ),
  );

const prefixed = (prefix: string, tensors: Tensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${prefix}${name}`, tensor]));

const named = (names: readonly string[], values: readonly Tensor[]): Tensors =>
  Object.fromEntries(names.map((name, i) => [name, present(values[i], `tensor ${name}`)]));
