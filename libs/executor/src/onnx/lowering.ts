import { assert, present } from "@heddle/base";
import { type Dim, isFixed, type Scalar } from "./dim.ts";
import { BOOL, FLOAT, type Graph, INT32, INT64 } from "./graph.ts";
import { refuse } from "./not-recordable.ts";
import type { Attr, Call, Constant, Program, Value } from "./program.ts";

/** Turns one kernel call into nodes and returns the name of its output number `output`. */
export type Rule = (call: LoweredCall, output: number) => string;

export type Rules = Readonly<Record<string, Rule>>;

/** An input and its axis from which the graph learns the number of rows. */
export interface RowsSource {
  readonly input: string;
  readonly axis: number;
}

export const elementTypes = { float32: FLOAT, int32: INT32, bool: BOOL } as const;

/** The name of a step's input in its graph. */
export function inputName(name: string): string {
  return `in_${name}`;
}

/** The state of one lowering: which value already has which name. */
export class Lowering {
  readonly graph: Graph;
  readonly #program: Program;
  readonly #rules: Rules;
  readonly #rows: RowsSource | undefined;
  readonly #names = new Map<number, string>();
  readonly #uses = new Map<number, number>();

  constructor(rules: Rules, program: Program, graph: Graph, rows: RowsSource | undefined) {
    this.graph = graph;
    this.#rules = rules;
    this.#program = program;
    this.#rows = rows;
    const used = [...program.calls.flatMap((call) => Object.values(call.inputs))];
    for (const id of [...used, ...Object.values(program.outputs)]) {
      this.#uses.set(id, (this.#uses.get(id) ?? 0) + 1);
    }
  }

  value(id: number): Value {
    return present(this.#program.values[id], `value ${id} of the program`);
  }

  /** The name of a value in the graph; emits whatever makes it. */
  name(id: number): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const name = this.#emit(this.value(id));
    this.#names.set(id, name);
    return name;
  }

  asFloat(id: number): string {
    const name = this.name(id);
    return this.value(id).dtype === "float32" ? name : this.graph.op("Cast", [name], { to: FLOAT });
  }

  /** How many calls and outputs read a value. */
  uses(id: number): number {
    return this.#uses.get(id) ?? 0;
  }

  /** The call that made a value, when a call of that kernel did. */
  madeBy(id: number, kernel: string): LoweredCall | undefined {
    const origin = this.value(id).origin;
    if (origin.kind !== "call") return undefined;
    const call = present(this.#program.calls[origin.call], "the call that made a value");
    return call.kernel === kernel ? new LoweredCall(this, call) : undefined;
  }

  /** The output of the call of that kernel that reads a value as its first input. */
  readBy(id: number, kernel: string): number | undefined {
    const reader = this.#program.calls.find(
      (call) => call.kernel === kernel && Object.values(call.inputs)[0] === id,
    );
    return reader?.outputs[0];
  }

  /** The one number a value holds everywhere, when it is such a constant. */
  fillOf(id: number): Scalar | undefined {
    const origin = this.value(id).origin;
    return origin.kind === "constant" && origin.constant.kind === "filled"
      ? origin.constant.value
      : undefined;
  }

  float(x: number): string {
    return this.graph.constant(FLOAT, [], [x]);
  }

  ints(values: readonly number[]): string {
    return this.graph.constant(INT64, [values.length], values);
  }

  /** A vector of sizes, int64. Open ones are computed from the shape of an input. */
  dims(dims: readonly Dim[]): string {
    if (dims.every(isFixed)) return this.ints(dims);
    const parts = dims.map((dim) =>
      isFixed(dim) ? this.ints([dim]) : this.#open(dim.rows, dim.plus),
    );
    return parts.length === 1 ? (parts[0] ?? "") : this.graph.op("Concat", parts, { axis: 0 });
  }

  scalar(value: Scalar, dtype: Value["dtype"] = "float32"): string {
    if (typeof value === "number") return this.graph.constant(elementTypes[dtype], [], [value]);
    const count = this.graph.op("Squeeze", [this.#open(1, 0)]);
    const rows = this.graph.op("Cast", [count], { to: elementTypes[dtype] });
    const factor = "times" in value ? value.times : value.over;
    const number = this.graph.constant(elementTypes[dtype], [], [factor]);
    return "times" in value
      ? this.graph.op("Mul", [rows, number])
      : this.graph.op("Div", [number, rows]);
  }

  #open(times: number, plus: number): string {
    const { graph } = this;
    const rows = this.#rows ?? refuse("a size changed although no input has a dimension of rows");
    const { input, axis } = rows;
    const n = graph.op("Shape", [inputName(input)], { start: axis, end: axis + 1 });
    const scaled = times === 1 ? n : graph.op("Mul", [n, this.ints([times])]);
    return plus === 0 ? scaled : graph.op("Add", [scaled, this.ints([plus])]);
  }

  #emit(value: Value): string {
    const { origin } = value;
    if (origin.kind === "input") return inputName(origin.name);
    if (origin.kind === "constant") return this.#constant(value, origin.constant);
    const call = present(this.#program.calls[origin.call], "the call that made a value");
    const rule = this.#rules[call.kernel];
    if (rule === undefined) return refuse(`kernel ${call.kernel} has no ONNX lowering`);
    return rule(new LoweredCall(this, call), origin.output);
  }

  #constant(value: Value, constant: Constant): string {
    if (constant.kind === "filled") {
      const one = this.scalar(constant.value, value.dtype);
      return value.shape.length === 0
        ? one
        : this.graph.op("Expand", [one, this.dims(value.shape)]);
    }
    const { dtype, shape } = value;
    assert(shape.every(isFixed), "a constant with values of its own has a fixed shape");
    return this.graph.constant(elementTypes[dtype], shape, constant.values);
  }
}

/** A kernel call as a rule sees it. */
export class LoweredCall {
  readonly lowering: Lowering;
  readonly call: Call;

  constructor(lowering: Lowering, call: Call) {
    this.lowering = lowering;
    this.call = call;
  }

  get graph(): Graph {
    return this.lowering.graph;
  }

  /** The ids of the inputs, in the kernel's order. */
  get ids(): readonly number[] {
    return Object.values(this.call.inputs);
  }

  /** The id of an input by its name or place. */
  id(input: string | number): number {
    const id = typeof input === "number" ? this.ids[input] : this.call.inputs[input];
    return present(id, `input ${input} of ${this.call.kernel}`);
  }

  /** The graph's name of an input. */
  input(input: string | number): string {
    return this.lowering.name(this.id(input));
  }

  shape(input: string | number): readonly Dim[] {
    return this.lowering.value(this.id(input)).shape;
  }

  output(k = 0): Value {
    return this.lowering.value(present(this.call.outputs[k], `output ${k} of ${this.call.kernel}`));
  }

  /** An attribute that the number of rows must not change. */
  attr(name: string): Exclude<Attr, object> | readonly number[] | undefined {
    const value = this.call.attrs[name];
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value) && value.every((item) => typeof item === "number")) return value;
    return refuse(`attribute ${name} of kernel ${this.call.kernel} depends on the number of rows`);
  }

  number(name: string): number {
    const value = this.attr(name);
    return typeof value === "number" ? value : refuse(`${this.call.kernel} needs a number ${name}`);
  }

  flag(name: string): boolean {
    return this.attr(name) === true;
  }

  /** An attribute that lists sizes, flattened; the rows may open each of them. */
  sizes(name: string): readonly Dim[] {
    const flat = (attr: Attr | undefined): Dim[] => {
      if (Array.isArray(attr)) return (attr as readonly Attr[]).flatMap(flat);
      if (typeof attr === "number") return [attr];
      if (typeof attr === "object" && attr !== null && "rows" in attr) return [attr];
      return refuse(`attribute ${name} of kernel ${this.call.kernel} is not a list of sizes`);
    };
    return flat(this.call.attrs[name]);
  }

  /** An axis attribute as a place from the front in a tensor of that rank. */
  axis(name: string, rank: number): number {
    const axis = this.attr(name) ?? 0;
    return typeof axis === "number"
      ? (axis + rank) % rank
      : refuse(`${this.call.kernel} has no ${name}`);
  }
}
