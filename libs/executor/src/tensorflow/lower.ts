import { isFixed } from "../recording/dim.ts";
import { rowsSource } from "../recording/lowering.ts";
import type { GraphInput, Program } from "../recording/program.ts";
import { Graph, OPEN } from "./graph.ts";
import { type Rules, TensorflowLowering } from "./lowering.ts";
import { convolutionRules } from "./rules-convolution.ts";
import { elementwiseRules } from "./rules-elementwise.ts";
import { matrixRules } from "./rules-matrix.ts";
import { reductionRules } from "./rules-reduction.ts";
import { shapeRules } from "./rules-shape.ts";

/** A SavedModel, and which node is which input and output of the step. */
export interface LoweredStep {
  readonly bytes: Uint8Array;
  readonly inputNames: Readonly<Record<string, string>>;
  readonly outputNames: Readonly<Record<string, string>>;
}

const rules: Rules = {
  ...convolutionRules,
  ...elementwiseRules,
  ...matrixRules,
  ...reductionRules,
  ...shapeRules,
};

/**
 * Lowers a program to one TensorFlow graph for any number of rows. Only what the outputs need is emitted; every
 * output is float32. Nodes have names of our own: not every name of an input could be one.
 *
 * @throws {NotRecordable} naming the first kernel that has no rule, or whose use no rule covers.
 */
export function lower(program: Program, inputs: Readonly<Record<string, GraphInput>>): LoweredStep {
  const graph = new Graph();
  const names = Object.fromEntries(Object.keys(inputs).map((name, i) => [name, `in${i}`]));
  for (const [name, { dtype, shape }] of Object.entries(inputs)) {
    graph.input(
      names[name] ?? "",
      dtype,
      shape.map((dim) => (isFixed(dim) ? dim : OPEN)),
    );
  }
  const rows = rowsSource(inputs);
  const lowering = new TensorflowLowering(rules, program, graph, { names, rows });
  const outputNames: Record<string, string> = {};
  for (const [name, id] of Object.entries(program.outputs)) {
    const result = lowering.cast(lowering.name(id), lowering.value(id).dtype, "float32");
    // An input that is an output as well cannot be fetched by its own name, which is fed.
    outputNames[name] = lowering.op("Identity", "float32", [result]);
  }
  return { bytes: graph.encode(), inputNames: names, outputNames };
}
