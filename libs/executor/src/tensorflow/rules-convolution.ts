import { type Convolution, convolutionOf } from "../recording/convolution.ts";
import type { AttrValue } from "./graph.ts";
import type { Rule } from "./lowering.ts";

/** Convolutions, which TensorFlow has as TensorFlow.js does: channels last, filters [height, width, in, out]. */
export const convolutionRules: Readonly<Record<string, Rule>> = {
  Conv2D: (c) => {
    const attrs = attrsOf(convolutionOf(c, c.shape("x"), c.shape("filter")));
    return c.lowering.op("Conv2D", "float32", [c.input("x"), c.input("filter")], attrs);
  },
  Conv2DBackpropInput: (c) => {
    const to = c.output().shape;
    const attrs = attrsOf(convolutionOf(c, to, c.shape("filter")));
    const operands = [c.lowering.dims(to), c.input("filter"), c.input("dy")];
    return c.lowering.op("Conv2DBackpropInput", "float32", operands, attrs);
  },
  Conv2DBackpropFilter: (c) => {
    const to = c.output().shape;
    const attrs = attrsOf(convolutionOf(c, c.shape("x"), to));
    const operands = [c.input("x"), c.lowering.dims(to), c.input("dy")];
    return c.lowering.op("Conv2DBackpropFilter", "float32", operands, attrs);
  },
};

/** Lists are by [rows, height, width, channels]; paddings come in pairs. */
function attrsOf({ strides, dilations, pads }: Convolution): Record<string, AttrValue> {
  const pairs = [0, 1].flatMap((i) => [pads[0][i] ?? 0, pads[1][i] ?? 0]);
  return {
    strides: { ints: [1, ...strides, 1] },
    dilations: { ints: [1, ...dilations, 1] },
    padding: { text: "EXPLICIT" },
    explicit_paddings: { ints: [0, 0, ...pairs, 0, 0] },
    data_format: { text: "NHWC" },
  };
}
