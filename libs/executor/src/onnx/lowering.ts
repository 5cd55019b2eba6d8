import { assert } from "@heddle/base";
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
import { BOOL, FLOAT, type Graph, INT32, INT64 } from "./graph.ts";

export type Rule = RuleOf<OnnxLowering>;
export type Rules = RulesOf<OnnxLowering>;
export type LoweredCall = Lowered<OnnxLowering>;

export const elementTypes = { float32: FLOAT, int32: INT32, bool: BOOL } as const;

/** The name of a step's input in its graph. */
export function inputName(name: string): string {
  return `in_${name}`;
}

/** The part of a lowering that is ONNX. */
export class OnnxLowering extends Lowering {
  readonly graph: Graph;
  readonly #rules: Rules;

  constructor(rules: Rules, program: Program, graph: Graph, rows: RowsSource | undefined) {
    super(program, rows);
    this.graph = graph;
    this.#rules = rules;
  }

  asFloat(id: number): string {
    const name = this.name(id);
    return this.value(id).dtype === "float32" ? name : this.graph.op("Cast", [name], { to: FLOAT });
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

  override scalar(value: Scalar, dtype: Value["dtype"] = "float32"): string {
    if (typeof value === "number") return this.graph.constant(elementTypes[dtype], [], [value]);
    const count = this.graph.op("Squeeze", [this.#open(1, 0)]);
    const rows = this.graph.op("Cast", [count], { to: elementTypes[dtype] });
    const factor = "times" in value ? value.times : value.over;
    const number = this.graph.constant(elementTypes[dtype], [], [factor]);
    return "times" in value
      ? this.graph.op("Mul", [rows, number])
      : this.graph.op("Div", [number, rows]);
  }

  protected override input(name: string): string {
    return inputName(name);
  }

  protected override constant(value: Value, constant: Constant): string {
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

  protected override lowerCall(call: Call, output: number): string {
    const rule = this.#rules[call.kernel];
    if (rule === undefined) return refuse(`kernel ${call.kernel} has no ONNX lowering`);
    return rule(new Lowered(this, call), output);
  }

  #open(times: number, plus: number): string {
    const { graph } = this;
    const { input, axis } = this.rows;
    const n = graph.op("Shape", [inputName(input)], { start: axis, end: axis + 1 });
    const scaled = times === 1 ? n : graph.op("Mul", [n, this.ints([times])]);
    return plus === 0 ? scaled : graph.op("Add", [scaled, this.ints([plus])]);
  }
}
