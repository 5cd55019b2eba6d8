import { assert } from "@heddle/base";
import type { Precision } from "../port.ts";
import { type Dim, isFixed, type Scalar } from "../recording/dim.ts";
import {
  LoweredCall as Lowered,
  Lowering,
  type RowsSource,
  type RuleOf,
  type RulesOf,
} from "../recording/lowering.ts";
import { refuse } from "../recording/not-recordable.ts";
import type { Call, Constant, Program, Value } from "../recording/program.ts";
import type { AttrValue, ElementType, Graph } from "./graph.ts";

export type Rule = RuleOf<TensorflowLowering>;
export type Rules = RulesOf<TensorflowLowering>;
export type LoweredCall = Lowered<TensorflowLowering>;

const INT: AttrValue = { type: "int32" };

/** The part of a lowering that is TensorFlow's. */
export class TensorflowLowering extends Lowering {
  readonly graph: Graph;
  readonly precision: Precision;
  readonly #rules: Rules;
  readonly #inputNames: Readonly<Record<string, string>>;

  constructor(
    rules: Rules,
    program: Program,
    graph: Graph,
    options: {
      readonly precision: Precision;
      readonly names: Readonly<Record<string, string>>;
      readonly rows: RowsSource | undefined;
    },
  ) {
    super(program, options.rows);
    this.precision = options.precision;
    this.graph = graph;
    this.#rules = rules;
    this.#inputNames = options.names;
  }

  /** A node whose operands are of one type, its attribute `T`. */
  op(
    type: string,
    dtype: ElementType,
    inputs: readonly string[],
    attrs: Readonly<Record<string, AttrValue>> = {},
  ): string {
    return this.graph.op(type, inputs, { T: { type: dtype }, ...attrs });
  }

  cast(name: string, from: ElementType, to: ElementType): string {
    return from === to
      ? name
      : this.graph.op("Cast", [name], { SrcT: { type: from }, DstT: { type: to } });
  }

  float(x: number): string {
    return this.graph.constant("float32", [], [x]);
  }

  int(x: number): string {
    return this.graph.constant("int32", [], [x]);
  }

  ints(values: readonly number[]): string {
    return this.graph.constant("int32", [values.length], values);
  }

  /** A size, int32. An open one is computed from the shape of an input. */
  dim(dim: Dim): string {
    if (isFixed(dim)) return this.int(dim);
    const scaled =
      dim.rows === 1 ? this.#count() : this.op("Mul", "int32", [this.#count(), this.int(dim.rows)]);
    return dim.plus === 0 ? scaled : this.op("AddV2", "int32", [scaled, this.int(dim.plus)]);
  }

  /** A vector of sizes, int32. */
  dims(dims: readonly Dim[]): string {
    if (dims.every(isFixed)) return this.ints(dims);
    const parts = dims.map((dim) => this.dim(dim));
    return this.op("Pack", "int32", parts, { N: { int: parts.length }, axis: { int: 0 } });
  }

  override scalar(value: Scalar, dtype: Value["dtype"] = "float32"): string {
    if (typeof value === "number") return this.graph.constant(dtype, [], [value]);
    const rows = this.cast(this.#count(), "int32", dtype);
    const factor = "times" in value ? value.times : value.over;
    const number = this.graph.constant(dtype, [], [factor]);
    return "times" in value
      ? this.op("Mul", dtype, [rows, number])
      : this.op("RealDiv", dtype, [number, rows]);
  }

  /** A tensor of one number. */
  filled(one: string, dtype: ElementType, shape: readonly Dim[]): string {
    if (shape.length === 0) return one;
    return this.op("Fill", dtype, [this.dims(shape), one], { index_type: INT });
  }

  protected override input(name: string): string {
    return this.#inputNames[name] ?? refuse(`the step reads an input "${name}" of another step`);
  }

  protected override constant(value: Value, constant: Constant): string {
    const { dtype, shape } = value;
    if (constant.kind === "filled") {
      return this.filled(this.scalar(constant.value, dtype), dtype, shape);
    }
    assert(shape.every(isFixed), "a constant with values of its own has a fixed shape");
    return this.graph.constant(dtype, shape, constant.values);
  }

  protected override lowerCall(call: Call, output: number): string {
    const rule = this.#rules[call.kernel];
    if (rule === undefined) return refuse(`kernel ${call.kernel} has no TensorFlow lowering`);
    return rule(new Lowered(this, call), output);
  }

  /** The number of rows of this call, int32. */
  #count(): string {
    const { input, axis } = this.rows;
    const shape = this.op("Shape", "float32", [this.input(input)], { out_type: INT });
    const [from, to] = [this.ints([axis]), this.ints([axis + 1])];
    const attrs = { Index: INT, shrink_axis_mask: { int: 1 } };
    return this.op("StridedSlice", "int32", [shape, from, to, this.ints([1])], attrs);
  }
}
