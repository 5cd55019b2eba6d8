import { refuse } from "../recording/not-recordable.ts";
import type { LoweredCall, Rule } from "./lowering.ts";

/** Matrix products and what is fused with them. */
export const matrixRules: Readonly<Record<string, Rule>> = {
  BatchMatMul: (c) => product(c),
  _FusedMatMul: fusedMatMul,
  FusedBatchNorm: batchNorm,
  Einsum: (c) => {
    const equation = c.attr("equation");
    const inputs = c.ids.map((id) => c.lowering.name(id));
    return c.graph.op("Einsum", inputs, { equation: String(equation) });
  },
};

/** Two matrices go to Gemm, which transposes for free; stacks of matrices to MatMul or its fused form. */
function product(c: LoweredCall, bias?: string): string {
  const transA = +c.flag("transposeA");
  const transB = +c.flag("transposeB");
  const [x, y] = [c.input(0), c.input(1)];
  if (c.output().shape.length === 2) {
    return c.graph.op("Gemm", bias === undefined ? [x, y] : [x, y, bias], { transA, transB });
  }
  const plain = transA + transB === 0;
  const stacked = plain
    ? c.graph.op("MatMul", [x, y])
    : c.graph.op("FusedMatMul", [x, y], { transA, transB }, "com.microsoft");
  return bias === undefined ? stacked : c.graph.op("Add", [stacked, bias]);
}

const activations = new Map([
  ["relu", "Relu"],
  ["elu", "Elu"],
]);

function fusedMatMul(c: LoweredCall): string {
  const name = c.attr("activation") ?? "linear";
  const y = product(c, c.call.inputs["bias"] === undefined ? undefined : c.input("bias"));
  if (name === "linear") return y;
  const op = activations.get(String(name));
  return c.graph.op(op ?? refuse(`activation ${String(name)} has no ONNX lowering`), [y]);
}

function batchNorm(c: LoweredCall): string {
  const { graph, lowering } = c;
  const epsilon = lowering.float(c.number("varianceEpsilon"));
  const deviation = graph.op("Sqrt", [graph.op("Add", [c.input("variance"), epsilon])]);
  const inverse = graph.op("Reciprocal", [deviation]);
  const { scale, offset } = c.call.inputs;
  const factor = scale === undefined ? inverse : graph.op("Mul", [inverse, lowering.name(scale)]);
  const centred = graph.op("Sub", [c.input("x"), c.input("mean")]);
  const normal = graph.op("Mul", [centred, factor]);
  return offset === undefined ? normal : graph.op("Add", [normal, lowering.name(offset)]);
}
