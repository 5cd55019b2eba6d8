import { present } from "@heddle/base";
import type { Tensor, TensorFlow } from "@heddle/executor";
import type { ArchitectureInputs, Widths } from "@heddle/sdk/architecture";
import type { Network } from "../network/architecture.ts";
import type { Term } from "../network/terms.ts";

type Given = Readonly<Record<string, Tensor>>;

/** A term's own inputs and parameters, under the names that the only one of a model gives them; those that terms share stay. */
export function ownInputs(
  { prefix, embedded }: Term,
  given: Given,
  { parameters }: Network,
): Given {
  if (prefix === "") return given;
  const own = { ...given };
  const take = (name: string, from: string): void => {
    const tensor = given[from];
    if (tensor !== undefined) own[name] = tensor;
  };
  take("embedded", embedded);
  for (const [name] of parameters) take(name, `${prefix}${name}`);
  return own;
}

/** What `build` reads in training: views of `numeric` and `embedded`, whose rows begin with the wide weight. */
export function trainingInputs(
  tf: TensorFlow,
  { fields, dimension, numeric }: Widths,
  given: Given,
  network: Network,
): ArchitectureInputs {
  const of = (name: string): Tensor => present(given[name], `input ${name}`);
  const embeddings = (): Tensor => tf.slice(of("embedded"), [0, 0, 1], [-1, fields, dimension]);
  const wide =
    fields === 0
      ? undefined
      : tf.reshape(tf.slice(of("embedded"), [0, 0, 0], [-1, fields, 1]), [-1, fields]);
  const join = (): Tensor => {
    if (fields === 0) return of("numeric");
    const flat = tf.reshape(embeddings(), [-1, fields * dimension]);
    return numeric === 0 ? flat : tf.concat([of("numeric"), flat], 1);
  };
  return inputs(network, given, {
    numeric: () => of("numeric"),
    embedded: embeddings,
    wide: () => present(wide, "the wide weights"),
    joined: join,
  });
}

/** What `build` reads in prediction: views of `joined` and `wide`. */
export function predictionInputs(
  tf: TensorFlow,
  { fields, dimension, numeric }: Widths,
  given: Given,
  network: Network,
): ArchitectureInputs {
  const of = (name: string): Tensor => present(given[name], `input ${name}`);
  return inputs(network, given, {
    numeric: () => tf.slice(of("joined"), [0, 0], [-1, numeric]),
    embedded: () =>
      tf.reshape(tf.slice(of("joined"), [0, numeric], [-1, fields * dimension]), [
        -1,
        fields,
        dimension,
      ]),
    wide: () => of("wide"),
    joined: () => of("joined"),
  });
}

/**
 * What one of several terms reads in prediction: each embedding in `joined` is the terms' rows side by side, less the first wide weight,
 * which is in `wide`.
 *
 * @param number of the term, from 0.
 */
export function termInputs(
  tf: TensorFlow,
  { fields, dimension, numeric }: Widths,
  given: Given,
  network: Network,
  number: number,
): ArchitectureInputs {
  const of = (name: string): Tensor => present(given[name], `input ${name}`);
  const own = ownInputs(present(network.terms[number], "a term"), given, network);
  const rowWidth = network.terms.length * (1 + dimension) - 1;
  const at = number * (1 + dimension);
  const numbers = (): Tensor => tf.slice(of("joined"), [0, 0], [-1, numeric]);
  const rows = (): Tensor =>
    tf.reshape(tf.slice(of("joined"), [0, numeric], [-1, fields * rowWidth]), [
      -1,
      fields,
      rowWidth,
    ]);
  const embedded = (): Tensor => tf.slice(rows(), [0, 0, at], [-1, fields, dimension]);
  const flat = (): Tensor => tf.reshape(embedded(), [-1, fields * dimension]);
  return inputs(network, own, {
    numeric: numbers,
    embedded,
    wide: () =>
      number === 0
        ? of("wide")
        : tf.reshape(tf.slice(rows(), [0, 0, at - 1], [-1, fields, 1]), [-1, fields]),
    joined: () => {
      if (fields === 0) return of("joined");
      return numeric === 0 ? flat() : tf.concat([numbers(), flat()], 1);
    },
  });
}

type Views = Readonly<Record<"numeric" | "embedded" | "wide" | "joined", () => Tensor>>;

/** Each view is made when `build` asks for it, and once. */
function inputs({ parameters, widths }: Network, given: Given, views: Views): ArchitectureInputs {
  const made = new Map<string, Tensor>();
  const view = (name: keyof Views) => (): Tensor => {
    const there = {
      numeric: widths.numeric > 0,
      joined: true,
      embedded: widths.fields > 0,
      wide: widths.fields > 0,
    };
    if (!there[name]) {
      throw new Error(`build reads ${name}, but the model has no such inputs: look at widths`);
    }
    const tensor = made.get(name) ?? views[name]();
    made.set(name, tensor);
    return tensor;
  };
  const read = {
    parameters: Object.fromEntries(parameters.map(([name]) => [name, present(given[name], name)])),
  };
  for (const name of ["numeric", "embedded", "wide", "joined"] as const) {
    Object.defineProperty(read, name, { get: view(name), enumerable: true });
  }
  return read as unknown as ArchitectureInputs;
}
