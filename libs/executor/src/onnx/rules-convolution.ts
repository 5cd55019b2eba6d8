import type { Dim } from "../recording/dim.ts";
import { convolutionOf } from "../recording/convolution.ts";
import type { LoweredCall, Rule } from "./lowering.ts";

/** Convolutions. TensorFlow.js puts channels last, ONNX second; filters are [height, width, in, out] and [out, in, height, width]. */
export const convolutionRules: Readonly<Record<string, Rule>> = {
  Conv2D: (c) => {
    const { strides, dilations, pads } = convolutionOf(c, c.shape("x"), c.shape("filter"));
    const attrs = { strides, dilations, pads: onnxPads(pads) };
    const y = c.graph.op("Conv", [channelsSecond(c, "x"), filterOf(c)], attrs);
    return channelsLast(c, y);
  },
  /** The gradient by the input. */
  Conv2DBackpropInput: (c) => {
    const out = c.output().shape;
    const { strides, dilations, pads, kernel } = convolutionOf(c, out, c.shape("filter"));
    const given = c.shape("dy");
    // What the forward pass did not reach at the far end.
    const output_padding = [0, 1].map((i) => {
      const reached = at(strides, i) * (size(given, i) - 1) + at(kernel, i);
      return size(out, i) - (reached - at(pads[0], i) - at(pads[1], i));
    });
    const attrs = { strides, dilations, pads: onnxPads(pads), output_padding };
    const y = c.graph.op("ConvTranspose", [channelsSecond(c, "dy"), filterOf(c)], attrs);
    return channelsLast(c, y);
  },
  /** The gradient by the filter: a convolution of the input with dy, in which examples and channels have changed places. */
  Conv2DBackpropFilter: (c) => {
    const filter = c.output().shape;
    const { strides, pads } = convolutionOf(c, c.shape("x"), filter);
    const perm = [3, 0, 1, 2];
    const operands = ["x", "dy"].map((name) => c.graph.op("Transpose", [c.input(name)], { perm }));
    const attrs = { strides: [1, 1], dilations: strides, pads: onnxPads(pads) };
    const y = c.graph.op("Conv", operands, attrs);
    const [height, width] = [size(filter, -1), size(filter, 0)];
    const bounds = [
      [0, 0],
      [height, width],
      [2, 3],
    ].map((list) => c.lowering.ints(list));
    const fitting = c.graph.op("Slice", [y, ...bounds]);
    return c.graph.op("Transpose", [fitting], { perm: [2, 3, 0, 1] });
  },
};

function channelsSecond(c: LoweredCall, input: string): string {
  return c.graph.op("Transpose", [c.input(input)], { perm: [0, 3, 1, 2] });
}

function channelsLast(c: LoweredCall, y: string): string {
  return c.graph.op("Transpose", [y], { perm: [0, 2, 3, 1] });
}

function filterOf(c: LoweredCall): string {
  return c.graph.op("Transpose", [c.input("filter")], { perm: [3, 2, 0, 1] });
}

function onnxPads([before, after]: readonly [readonly number[], readonly number[]]): number[] {
  return [...before, ...after];
}

/** Height or width of [rows, height, width, channels]. */
function size(shape: readonly Dim[], i: number): number {
  return shape[i + 1] as number;
}

function at(list: readonly number[], i: number): number {
  return list[i] as number;
}
