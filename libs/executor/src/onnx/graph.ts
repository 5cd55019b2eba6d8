import { assert } from "@heddle/base";
import {
  bytesField,
  concatBytes,
  floatField,
  intField,
  messageField,
  stringField,
} from "../protobuf.ts";

/** Element types, by their numbers in onnx.proto. */
export const FLOAT = 1;
export const INT32 = 6;
export const INT64 = 7;
export const BOOL = 9;

export type AttrValue = number | string | readonly number[] | { readonly float: number };

/** A dimension of a graph's input or output: its size, or a name where it is open. */
export type IoDim = number | string;

interface Node {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attrs: Readonly<Record<string, AttrValue>>;
}

const OPSET = 18;
const IR_VERSION = 9;
const FLOAT_ATTR = 1;
const INT_ATTR = 2;
const STRING_ATTR = 3;
const INTS_ATTR = 7;

/** Constants up to this many elements are compared by value, so that equal ones are stored once. */
const SHARED_CONSTANT_ELEMENTS_MAX = 64;

/** An ONNX graph under construction. Asking for the same node or small constant twice gives the same one. */
export class Graph {
  readonly #nodes: Node[] = [];
  readonly #constants: Uint8Array[] = [];
  readonly #inputs: Uint8Array[] = [];
  readonly #outputs: Uint8Array[] = [];
  readonly #outputNames = new Set<string>();
  readonly #known = new Map<string, string>();
  #count = 0;

  /** Adds a node with one output and returns the output's name. An empty input name is an input left out. */
  op(
    type: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, AttrValue>> = {},
    domain = "",
  ): string {
    const key = JSON.stringify([type, domain, inputs, attrs]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const output = this.#add(type, inputs, attrs, domain);
    this.#known.set(key, output);
    return output;
  }

  /** Adds a node with two outputs and returns the name of one of them. */
  opWithTwo(
    type: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, AttrValue>>,
    output: number,
  ): string {
    const key = JSON.stringify([type, "two", inputs, attrs]);
    const first = this.#known.get(key) ?? this.#add(type, inputs, attrs, "", 2);
    this.#known.set(key, first);
    return output === 0 ? first : secondOf(first);
  }

  /** A constant of `dims` elements; int64 values are given as numbers. */
  constant(dtype: number, dims: readonly number[], values: ArrayLike<number>): string {
    const bytes = encodeValues(dtype, values);
    const small = values.length <= SHARED_CONSTANT_ELEMENTS_MAX;
    const key = `${dtype}:${dims.join()}:${small ? bytes.join() : this.#count}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const name = `c${this.#count++}`;
    this.#known.set(key, name);
    const sizes = dims.map((dim) => intField(1, dim));
    this.#constants.push(
      messageField(5, [...sizes, intField(2, dtype), stringField(8, name), bytesField(9, bytes)]),
    );
    return name;
  }

  input(name: string, dtype: number, dims: readonly IoDim[]): void {
    this.#inputs.push(messageField(11, valueInfo(name, dtype, dims)));
  }

  /** Makes a tensor an output of the graph and returns the output's name: its own, unless that is taken. */
  output(from: string, dtype: number, dims: readonly IoDim[]): string {
    const made = this.#nodes.some((node) => node.outputs.includes(from));
    const free = made && !this.#outputNames.has(from);
    const name = free ? from : this.#add("Identity", [from], {}, "");
    this.#outputNames.add(name);
    this.#outputs.push(messageField(12, valueInfo(name, dtype, dims)));
    return name;
  }

  /** The graph as the bytes of an ONNX ModelProto. */
  encode(): Uint8Array {
    const nodes = this.#nodes.map((node) => messageField(1, encodeNode(node)));
    const graph = [
      ...nodes,
      stringField(2, "step"),
      ...this.#constants,
      ...this.#inputs,
      ...this.#outputs,
    ];
    return concatBytes([
      intField(1, IR_VERSION),
      stringField(2, "heddle"),
      messageField(7, graph),
      messageField(8, [stringField(1, ""), intField(2, OPSET)]),
      messageField(8, [stringField(1, "com.microsoft"), intField(2, 1)]),
    ]);
  }

  #add(
    type: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, AttrValue>>,
    domain: string,
    count = 1,
  ): string {
    const output = `t${this.#count++}`;
    const outputs = count === 1 ? [output] : [output, secondOf(output)];
    this.#nodes.push({ type, domain, inputs, outputs, attrs });
    return output;
  }
}

function secondOf(first: string): string {
  return `${first}_1`;
}

function encodeNode(node: Node): Uint8Array[] {
  return [
    ...node.inputs.map((name) => stringField(1, name)),
    ...node.outputs.map((name) => stringField(2, name)),
    stringField(4, node.type),
    ...Object.entries(node.attrs).map(([name, value]) =>
      messageField(5, [stringField(1, name), ...encodeAttr(value)]),
    ),
    stringField(7, node.domain),
  ];
}

function encodeAttr(value: AttrValue): Uint8Array[] {
  if (typeof value === "number") return [intField(3, value), intField(20, INT_ATTR)];
  if (typeof value === "string") return [stringField(4, value), intField(20, STRING_ATTR)];
  if ("float" in value) return [floatField(2, value.float), intField(20, FLOAT_ATTR)];
  return [...value.map((item) => intField(8, item)), intField(20, INTS_ATTR)];
}

function valueInfo(name: string, dtype: number, dims: readonly IoDim[]): Uint8Array[] {
  const shape = dims.map((dim) =>
    messageField(1, [typeof dim === "string" ? stringField(2, dim) : intField(1, dim)]),
  );
  return [
    stringField(1, name),
    messageField(2, [messageField(1, [intField(1, dtype), messageField(2, shape)])]),
  ];
}

/** Little-endian elements, as ONNX's raw_data wants them on every machine. */
function encodeValues(dtype: number, values: ArrayLike<number>): Uint8Array {
  const size = new Map([
    [FLOAT, 4],
    [INT32, 4],
    [INT64, 8],
    [BOOL, 1],
  ]).get(dtype);
  assert(size !== undefined, `element type ${dtype} is one of ours`);
  const view = new DataView(new ArrayBuffer(values.length * size));
  Array.prototype.forEach.call(values, (x: number, i: number) => {
    if (dtype === FLOAT) view.setFloat32(i * 4, x, true);
    else if (dtype === INT32) view.setInt32(i * 4, x, true);
    else if (dtype === INT64) view.setBigInt64(i * 8, BigInt(x), true);
    else view.setUint8(i, x);
  });
  return new Uint8Array(view.buffer);
}
