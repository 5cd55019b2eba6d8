import { broadcastShape, type Dim, sameShape } from "./dim.ts";
import type { LoweredCall, Lowering } from "./lowering.ts";

interface Operand {
  readonly shape: readonly Dim[];
  name(): string;
}

/**
 * The operands of a binary operator. Gradients are full of `x * ones(shape)`; since the operator broadcasts by
 * itself, such an operand is used as it was before it was spread out, when the result keeps its shape.
 */
export function broadcastOperands<L extends Lowering>(c: LoweredCall<L>): [string, string] {
  const out = c.output().shape;
  let [left, right] = [plain(c, c.id(0)), plain(c, c.id(1))];
  const thin = narrow(c, c.id(0));
  if (thin && sameShape(broadcastShape(thin.shape, right.shape), out)) left = thin;
  const thinRight = narrow(c, c.id(1));
  if (thinRight && sameShape(broadcastShape(left.shape, thinRight.shape), out)) right = thinRight;
  return [left.name(), right.name()];
}

/** A product that is more, or less, than one: ids of its operands. */
export type SpecialProduct =
  | { readonly kind: "spread"; readonly x: number }
  | { readonly kind: "mask"; readonly x: number; readonly positive: number };

/** Multiplication by ones only spreads out; by the step function of a ReLU's input it masks a gradient. */
export function specialProduct<L extends Lowering>(c: LoweredCall<L>): SpecialProduct | undefined {
  const { lowering } = c;
  const out = c.output().shape;
  for (const [x, factor] of [
    [c.id(0), c.id(1)],
    [c.id(1), c.id(0)],
  ] as const) {
    if (lowering.fillOf(factor) === 1) return { kind: "spread", x };
    const step = lowering.madeBy(factor, "Step");
    const shape = lowering.value(x).shape;
    const sameShapes = sameShape(shape, out) && sameShape(lowering.value(factor).shape, out);
    if (step?.attr("alpha") === 0 && sameShapes) {
      return { kind: "mask", x, positive: reluOf(c, step.id(0)) };
    }
  }
  return undefined;
}

/** The ReLU of a value when the step computes it anyway, else the value: both are positive together. */
export function reluOf<L extends Lowering>(c: LoweredCall<L>, id: number): number {
  return c.lowering.readBy(id, "Relu") ?? id;
}

/** The matrix product under a sum with a bias vector, when the sum is its only reader. */
export function biasedProduct<L extends Lowering>(c: LoweredCall<L>): LoweredCall<L> | undefined {
  const product = c.lowering.madeBy(c.id(0), "BatchMatMul");
  const out = c.output().shape;
  if (product === undefined || out.length !== 2 || c.lowering.uses(c.id(0)) !== 1) return undefined;
  return sameShape(c.shape(1), out.slice(1)) ? product : undefined;
}

function plain<L extends Lowering>(c: LoweredCall<L>, id: number): Operand {
  return { shape: c.lowering.value(id).shape, name: () => c.lowering.name(id) };
}

/** What a value was before it was spread out: the number of a filled constant, the x of `x * ones`. */
function narrow<L extends Lowering>(c: LoweredCall<L>, id: number): Operand | undefined {
  const { lowering } = c;
  const { dtype, shape } = lowering.value(id);
  const fill = lowering.fillOf(id);
  if (fill !== undefined && shape.length > 0) {
    return { shape: [], name: () => lowering.scalar(fill, dtype) };
  }
  const product = lowering.madeBy(id, "Multiply");
  if (product === undefined) return undefined;
  if (lowering.fillOf(product.id(1)) === 1) return plain(c, product.id(0));
  if (lowering.fillOf(product.id(0)) === 1) return plain(c, product.id(1));
  return undefined;
}
