import { assert } from "@heddle/base";
import {
  bytesField,
  concatBytes,
  floatField,
  intField,
  messageField,
  stringField,
} from "../protobuf.ts";

/** Element types, by their numbers in TensorFlow's types.proto. */
export const elementTypes = { float32: 1, int32: 3, bool: 10 } as const;

export type ElementType = keyof typeof elementTypes;

/** An attribute of a node; TensorFlow wants its kind said, for a number could be a type, too. */
export type AttrValue =
  | { readonly type: ElementType }
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly flag: boolean }
  | { readonly text: string }
  | { readonly shape: readonly number[] };

/** A size that is open: TensorFlow takes what comes. */
export const OPEN = -1;

/** The graph's format version of TensorFlow 2.15: newer ones read it, older ones refuse. */
const PRODUCER = 1645;

/** Constants up to this many elements are compared by value, so that equal ones are stored once. */
const SHARED_CONSTANT_ELEMENTS_MAX = 64;

/**
 * A TensorFlow graph under construction. Asking for the same node or small constant twice gives the same one.
 *
 * @source field numbers: tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape}.proto and
 * tensorflow/core/protobuf/{saved_model,meta_graph}.proto.
 */
export class Graph {
  readonly #nodes: Uint8Array[] = [];
  readonly #known = new Map<string, string>();
  #count = 0;

  /** Adds a node and returns its name, which is its first output's; output k is `name:k`. */
  op(
    type: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, AttrValue>> = {},
  ): string {
    const key = JSON.stringify([type, inputs, attrs]);
    return this.#once(key, (name) => {
      this.#add(name, type, inputs, encodeAttrs(attrs));
    });
  }

  input(name: string, dtype: ElementType, shape: readonly number[]): void {
    this.#add(name, "Placeholder", [], encodeAttrs({ dtype: { type: dtype }, shape: { shape } }));
  }

  constant(dtype: ElementType, shape: readonly number[], values: ArrayLike<number>): string {
    const bytes = encodeValues(dtype, values);
    const small = values.length <= SHARED_CONSTANT_ELEMENTS_MAX;
    const key = `${dtype}:${shape.join()}:${small ? bytes.join() : this.#count}`;
    return this.#once(key, (name) => {
      const tensor = [
        intField(1, elementTypes[dtype]),
        messageField(2, encodeShape(shape)),
        bytesField(4, bytes),
      ];
      const value = messageField(5, [
        stringField(1, "value"),
        messageField(2, [messageField(8, tensor)]),
      ]);
      this.#add(name, "Const", [], [...encodeAttrs({ dtype: { type: dtype } }), value]);
    });
  }

  /** The graph as the bytes of a SavedModel with the tag `serve`. */
  encode(): Uint8Array {
    const graph = [...this.#nodes, messageField(4, [intField(1, PRODUCER)])];
    const about = [stringField(4, "serve")];
    return concatBytes([
      intField(1, 1),
      messageField(2, [messageField(1, about), messageField(2, graph)]),
    ]);
  }

  #once(key: string, add: (name: string) => void): string {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const name = `n${this.#count++}`;
    this.#known.set(key, name);
    add(name);
    return name;
  }

  #add(name: string, type: string, inputs: readonly string[], attrs: readonly Uint8Array[]): void {
    const node = [
      stringField(1, name),
      stringField(2, type),
      ...inputs.map((input) => stringField(3, input)),
      ...attrs,
    ];
    this.#nodes.push(messageField(1, node));
  }
}

function encodeAttrs(attrs: Readonly<Record<string, AttrValue>>): Uint8Array[] {
  return Object.entries(attrs).map(([name, value]) =>
    messageField(5, [stringField(1, name), messageField(2, [encodeAttr(value)])]),
  );
}

function encodeAttr(value: AttrValue): Uint8Array {
  if ("type" in value) return intField(6, elementTypes[value.type]);
  if ("int" in value) return intField(3, value.int);
  if ("ints" in value)
    return messageField(
      1,
      value.ints.map((item) => intField(3, item)),
    );
  if ("float" in value) return floatField(4, value.float);
  if ("flag" in value) return intField(5, +value.flag);
  if ("text" in value) return stringField(2, value.text);
  return messageField(7, encodeShape(value.shape));
}

function encodeShape(shape: readonly number[]): Uint8Array[] {
  return shape.map((dim) => messageField(2, [intField(1, dim)]));
}

/** Little-endian elements; TensorFlow runs on no other machine. */
function encodeValues(dtype: ElementType, values: ArrayLike<number>): Uint8Array {
  const array = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[dtype].from(values);
  assert(new Uint8Array(Uint16Array.of(1).buffer)[0] === 1, "this machine is little-endian");
  return new Uint8Array(array.buffer);
}
