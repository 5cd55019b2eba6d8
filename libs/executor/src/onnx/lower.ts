import { type Dim, isFixed } from "../recording/dim.ts";
import { rowsSource } from "../recording/lowering.ts";
import type { GraphInput, Program } from "../recording/program.ts";
import { FLOAT, Graph, type IoDim } from "./graph.ts";
import { elementTypes, inputName, OnnxLowering, type Rules } from "./lowering.ts";
import { convolutionRules } from "./rules-convolution.ts";
import { elementwiseRules } from "./rules-elementwise.ts";
import { matrixRules } from "./rules-matrix.ts";
import { reductionRules } from "./rules-reduction.ts";
import { shapeRules } from "./rules-shape.ts";

/** An ONNX file, and which of its outputs is which output of the step. */
export interface LoweredStep {
  readonly bytes: Uint8Array;
  readonly outputs: Readonly<Record<string, LoweredOutput>>;
}

interface LoweredOutput {
  readonly name: string;
  readonly shape: readonly Dim[];
}

const rules: Rules = {
  ...convolutionRules,
  ...elementwiseRules,
  ...matrixRules,
  ...reductionRules,
  ...shapeRules,
};

/**
 * Lowers a program to one ONNX graph for any number of rows. Only what the outputs need is emitted; every
 * output is float32.
 *
 * @throws {NotRecordable} naming the first kernel that has no rule, or whose use no rule covers.
 */
export function lower(program: Program, inputs: Readonly<Record<string, GraphInput>>): LoweredStep {
  const graph = new Graph();
  for (const [name, spec] of Object.entries(inputs)) {
    graph.input(inputName(name), elementTypes[spec.dtype], spec.shape.map(ioDim));
  }
  const lowering = new OnnxLowering(rules, program, graph, rowsSource(inputs));
  const outputs: Record<string, LoweredOutput> = {};
  for (const [name, id] of Object.entries(program.outputs)) {
    const { shape } = lowering.value(id);
    outputs[name] = {
      name: graph.output(lowering.asFloat(id), FLOAT, shape.map(ioDim)),
      shape,
    };
  }
  return { bytes: graph.encode(), outputs };
}

function ioDim(dim: Dim): IoDim {
  if (isFixed(dim)) return dim;
  return dim.rows === 1 && dim.plus === 0 ? "rows" : `rows * ${dim.rows} + ${dim.plus}`;
}
