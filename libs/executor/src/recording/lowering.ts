import { present } from "@heddle/base";
import { addDims, type Dim, isFixed, sameDim, type Scalar } from "./dim.ts";
import { refuse } from "./not-recordable.ts";
import type { Attr, Call, Constant, GraphInput, Program, Value } from "./program.ts";

/** Turns one kernel call into nodes and returns the name of its output number `output`. */
export type RuleOf<L extends Lowering> = (call: LoweredCall<L>, output: number) => string;

export type RulesOf<L extends Lowering> = Readonly<Record<string, RuleOf<L>>>;

/** An input and its axis from which a graph learns the number of rows. */
export interface RowsSource {
  readonly input: string;
  readonly axis: number;
}

/** The first open dimension of the inputs; undefined when every size is fixed. */
export function rowsSource(inputs: Readonly<Record<string, GraphInput>>): RowsSource | undefined {
  for (const [input, { shape }] of Object.entries(inputs)) {
    const axis = shape.findIndex((dim) => !isFixed(dim) && dim.rows === 1 && dim.plus === 0);
    if (axis >= 0) return { input, axis };
  }
  return undefined;
}

/** The state of one lowering: which value already has which name. What a graph's format decides is abstract. */
export abstract class Lowering {
  abstract readonly graph: unknown;
  readonly #program: Program;
  readonly #rows: RowsSource | undefined;
  readonly #names = new Map<number, string>();
  readonly #uses = new Map<number, number>();

  constructor(program: Program, rows: RowsSource | undefined) {
    this.#program = program;
    this.#rows = rows;
    const used = [...program.calls.flatMap((call) => Object.values(call.inputs))];
    for (const id of [...used, ...Object.values(program.outputs)]) {
      this.#uses.set(id, (this.#uses.get(id) ?? 0) + 1);
    }
  }

  /** The graph's name of an input of the step. */
  protected abstract input(name: string): string;

  /** Emits one number and returns its name. */
  abstract scalar(value: Scalar, dtype?: Value["dtype"]): string;

  /** Emits a constant and returns its name. */
  protected abstract constant(value: Value, constant: Constant): string;

  /** Emits a call by its rule and returns the name of its output; refuses a kernel without a rule. */
  protected abstract lowerCall(call: Call, output: number): string;

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

  /** How many calls and outputs read a value. */
  uses(id: number): number {
    return this.#uses.get(id) ?? 0;
  }

  /** The call that made a value, when a call of that kernel did. */
  madeBy(id: number, kernel: string): LoweredCall<this> | undefined {
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

  /** Where the number of rows is to be read from. */
  protected get rows(): RowsSource {
    return this.#rows ?? refuse("a size changed although no input has a dimension of rows");
  }

  #emit(value: Value): string {
    const { origin } = value;
    if (origin.kind === "input") return this.input(origin.name);
    if (origin.kind === "constant") return this.constant(value, origin.constant);
    const call = present(this.#program.calls[origin.call], "the call that made a value");
    return this.lowerCall(call, origin.output);
  }
}

/** A kernel call as a rule sees it. */
export class LoweredCall<L extends Lowering> {
  readonly lowering: L;
  readonly call: Call;

  constructor(lowering: L, call: Call) {
    this.lowering = lowering;
    this.call = call;
  }

  get graph(): L["graph"] {
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

  /** The axes that Reverse turns around. */
  reversedAxes(): readonly number[] {
    const rank = this.shape(0).length;
    const dims = this.attr("dims");
    const list = typeof dims === "number" ? [dims] : Array.isArray(dims) ? dims : undefined;
    return list?.map((axis: number) => (axis + rank) % rank) ?? this.shape(0).map((_, i) => i);
  }

  /**
   * The bounds of StridedSlice, with its masks applied.
   *
   * @param far beyond the end of any axis.
   */
  strided(far: number): {
    readonly begin: readonly Dim[];
    readonly end: readonly Dim[];
    readonly strides: readonly number[];
  } {
    if (this.number("ellipsisMask") !== 0 || this.number("newAxisMask") !== 0) {
      return refuse("strided slice with an ellipsis or a new axis has no lowering");
    }
    const strides = this.sizes("strides").map((dim) =>
      isFixed(dim) ? dim : refuse("a stride depends on the number of rows"),
    );
    const set = (mask: string, i: number): boolean => ((this.number(mask) >> i) & 1) === 1;
    const begin = this.sizes("begin").map((at, i): Dim => {
      if (!set("beginMask", i)) return at;
      return (strides[i] ?? 1) > 0 ? 0 : far;
    });
    const end = this.sizes("end").map((at, i): Dim => {
      // One element, and no axis: it ends behind its begin.
      if (set("shrinkAxisMask", i))
        return sameDim(begin[i] ?? 0, -1) ? far : addDims(begin[i] ?? 0, 1);
      if (!set("endMask", i)) return at;
      return (strides[i] ?? 1) > 0 ? far : -far;
    });
    return { begin, end, strides };
  }

  /** An axis attribute as a place from the front in a tensor of that rank. */
  axis(name: string, rank: number): number {
    const axis = this.attr(name) ?? 0;
    return typeof axis === "number"
      ? (axis + rank) % rank
      : refuse(`${this.call.kernel} has no ${name}`);
  }
}
