import { type Dim, isFixed } from "./dim.ts";
import type { LoweredCall, Lowering } from "./lowering.ts";
import { refuse } from "./not-recordable.ts";

/** A convolution over height and width; every list is [of the height, of the width]. */
export interface Convolution {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Zeros before and after. */
  readonly pads: readonly [before: readonly number[], after: readonly number[]];
  /** What the filter spans, dilation included. */
  readonly kernel: readonly number[];
}

/**
 * What the attributes of a convolution and of its gradients say.
 *
 * @param input shape [rows, height, width, channels] of the forward pass; only the rows may be open.
 * @param filter shape [height, width, in, out].
 */
export function convolutionOf<L extends Lowering>(
  c: LoweredCall<L>,
  input: readonly Dim[],
  filter: readonly Dim[],
): Convolution {
  if ((c.attr("dataFormat") ?? "NHWC") !== "NHWC") refuse("a convolution must have channels last");
  const strides = pair(c, "strides");
  const dilations = pair(c, "dilations");
  const sizes = fixed(input.slice(1, 3));
  const kernel = fixed(filter.slice(0, 2)).map((size, i) => (size - 1) * (dilations[i] ?? 1) + 1);
  const pad = c.attr("pad");
  const none = [0, 0];
  if (pad === "valid") return { strides, dilations, kernel, pads: [none, none] };
  if (typeof pad === "number") {
    return { strides, dilations, kernel, pads: [none.map(() => pad), none.map(() => pad)] };
  }
  if (pad !== "same")
    return refuse(`padding ${JSON.stringify(pad)} of a convolution has no lowering`);
  // As many outputs as strides fit; what lacks is put at both ends, the odd one behind.
  const total = sizes.map((size, i) => {
    const stride = strides[i] ?? 1;
    return Math.max((Math.ceil(size / stride) - 1) * stride + (kernel[i] ?? 1) - size, 0);
  });
  const before = total.map((count) => Math.floor(count / 2));
  const after = total.map((count, i) => count - (before[i] ?? 0));
  return { strides, dilations, kernel, pads: [before, after] };
}

function pair<L extends Lowering>(c: LoweredCall<L>, name: string): readonly number[] {
  const value = c.attr(name) ?? 1;
  if (typeof value === "number") return [value, value];
  return Array.isArray(value)
    ? (value as readonly number[])
    : refuse(`a convolution has no ${name}`);
}

function fixed(dims: readonly Dim[]): readonly number[] {
  return dims.map((dim) =>
    isFixed(dim) ? dim : refuse("height and width of a convolution depend on the number of rows"),
  );
}
