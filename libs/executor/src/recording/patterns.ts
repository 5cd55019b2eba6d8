import { broadcastShape, type Dim, isFixed, sameShape } from "./dim.ts";
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

/** Values side by side along an axis. */
export interface SideBySide {
  readonly axis: number;
  /** Their ids, in order. */
  readonly parts: readonly number[];
}

/**
 * The gradient of a value that was cut into slices is a sum of theirs, each padded with zeros to the whole: side by side they are
 * the same, but for the sign of a zero, and each number is written once instead of twice for each slice.
 */
export function joinedSlices<L extends Lowering>(c: LoweredCall<L>): SideBySide | undefined {
  const [left, right] = [paddings(c, c.id(0)), paddings(c, c.id(1))];
  const [first] = left ?? [];
  if (left === undefined || right === undefined || first === undefined) return undefined;
  const parts = [...left, ...right].toSorted((a, b) => a.from - b.from);
  let end: Dim = 0;
  for (const { axis, from, to } of parts) {
    if (axis !== first.axis || from !== end) return undefined;
    end = to;
  }
  if (end !== c.output().shape[first.axis]) return undefined;
  return { axis: first.axis, parts: parts.map(({ id }) => id) };
}

/** A value with zeros around it: its place along the one axis where there are any. */
interface Padded {
  readonly id: number;
  readonly axis: number;
  readonly from: number;
  readonly to: number;
}

/** What a sum is made of, when it is padded values alone. */
function paddings<L extends Lowering>(c: LoweredCall<L>, id: number): Padded[] | undefined {
  const sum = c.lowering.madeBy(id, "Add");
  if (sum !== undefined) {
    const [left, right] = [paddings(c, sum.id(0)), paddings(c, sum.id(1))];
    return left && right && [...left, ...right];
  }
  const pad = c.lowering.madeBy(id, "PadV2");
  if (pad?.attr("constantValue") !== 0) return undefined;
  const pairs = pad.sizes("paddings");
  const axes = new Set(pairs.flatMap((size, i) => (size === 0 ? [] : [Math.floor(i / 2)])));
  const [axis = 0] = axes;
  const [from, size] = [pairs[2 * axis], pad.shape(0)[axis]];
  if (axes.size !== 1 || from === undefined || size === undefined) return undefined;
  return isFixed(from) && isFixed(size)
    ? [{ id: pad.id(0), axis, from, to: from + size }]
    : undefined;
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
