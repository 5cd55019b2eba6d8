import { isFixed } from "../recording/dim.ts";
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

/** Where a side of a product is shorter than this, rounding its operands costs more than it saves. */
const NARROWED_SIDE_MIN = 16;

function product(c: LoweredCall): string {
  const { lowering } = c;
  const narrow = lowering.precision === "bfloat16" && isLarge(c);
  const dtype = narrow ? "bfloat16" : "float32";
  // Asking for the same cast twice gives the same node: weights are rounded once for both directions.
  const operands = [c.input(0), c.input(1)].map((name) => lowering.cast(name, "float32", dtype));
  const [first, second] = [{ flag: c.flag("transposeA") }, { flag: c.flag("transposeB") }];
  const y =
    c.output().shape.length === 2
      ? lowering.op("MatMul", dtype, operands, { transpose_a: first, transpose_b: second })
      : lowering.op("BatchMatMulV2", dtype, operands, { adj_x: first, adj_y: second });
  return lowering.cast(y, dtype, "float32");
}

/** An open side counts as long. The layer of one output, whose result is a logit, stays float32. */
function isLarge(c: LoweredCall): boolean {
  const sides = [...c.shape(0).slice(-2), ...c.shape(1).slice(-2)];
  return sides.every((side) => !isFixed(side) || side >= NARROWED_SIDE_MIN);
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
