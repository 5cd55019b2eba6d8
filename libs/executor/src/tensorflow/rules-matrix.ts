import { refuse } from "../recording/not-recordable.ts";
import type { LoweredCall, Rule } from "./lowering.ts";

/** Matrix products and what is fused with them. */
export const matrixRules: Readonly<Record<string, Rule>> = {
  BatchMatMul: product,
  _FusedMatMul: fusedMatMul,
  FusedBatchNorm: batchNorm,
  Einsum: (c) =>
    c.lowering.op(
      "Einsum",
      "float32",
      c.ids.map((id) => c.lowering.name(id)),
      { N: { int: c.ids.length }, equation: { text: String(c.attr("equation")) } },
    ),
};

function product(c: LoweredCall): string {
  const [first, second] = [{ flag: c.flag("transposeA") }, { flag: c.flag("transposeB") }];
  const operands = [c.input(0), c.input(1)];
  return c.output().shape.length === 2
    ? c.lowering.op("MatMul", "float32", operands, { transpose_a: first, transpose_b: second })
    : c.lowering.op("BatchMatMulV2", "float32", operands, { adj_x: first, adj_y: second });
}

const activations = new Map([
  ["relu", "Relu"],
  ["elu", "Elu"],
]);

function fusedMatMul(c: LoweredCall): string {
  const { lowering } = c;
  const name = c.attr("activation") ?? "linear";
  const bias = c.call.inputs["bias"];
  let y = product(c);
  if (bias !== undefined) {
    const op = lowering.value(bias).shape.length === 1 ? "BiasAdd" : "AddV2";
    y = lowering.op(op, "float32", [y, lowering.name(bias)]);
  }
  if (name === "linear") return y;
  const op = activations.get(String(name));
  const known = op ?? refuse(`activation ${String(name)} has no TensorFlow lowering`);
  return lowering.op(known, "float32", [y]);
}

function batchNorm(c: LoweredCall): string {
  const { lowering } = c;
  const op = (type: string, ...inputs: string[]): string => lowering.op(type, "float32", inputs);
  const epsilon = lowering.float(c.number("varianceEpsilon"));
  const inverse = op("Rsqrt", op("AddV2", c.input("variance"), epsilon));
  const { scale, offset } = c.call.inputs;
  const factor = scale === undefined ? inverse : op("Mul", inverse, lowering.name(scale));
  const normal = op("Mul", op("Sub", c.input("x"), c.input("mean")), factor);
  return offset === undefined ? normal : op("AddV2", normal, lowering.name(offset));
}
