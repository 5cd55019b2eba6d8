import { addDims, type Dim, isFixed, sameShape } from "../recording/dim.ts";
import { refuse } from "../recording/not-recordable.ts";
import { INT32, INT64 } from "./graph.ts";
import { elementTypes, type LoweredCall, type Rule } from "./lowering.ts";

/** Kernels that move elements and compute none. */
export const shapeRules: Readonly<Record<string, Rule>> = {
  Reshape: reshape,
  ExpandDims: reshape,
  Transpose: (c) => c.graph.op("Transpose", [c.input(0)], { perm: numbers(c, "perm") }),
  Concat: (c) => {
    const inputs = c.ids.map((id) => c.lowering.name(id));
    return c.graph.op("Concat", inputs, { axis: c.axis("axis", c.output().shape.length) });
  },
  Slice: (c) => {
    const begin = c.sizes("begin");
    const size = c.output().shape;
    return slice(
      c,
      begin,
      begin.map((at, i) => addDims(at, size[i] ?? 0)),
      begin.map((_, i) => i),
    );
  },
  SplitV: (c, k) => {
    const axis = c.axis("axis", c.shape(0).length);
    const sizes = c.call.outputs.map((_, i) => c.output(i).shape[axis] ?? 0);
    const begin = sizes.slice(0, k).reduce<Dim>(addDims, 0);
    return slice(c, [begin], [addDims(begin, sizes[k] ?? 0)], [axis]);
  },
  Pack: (c) => {
    const axis = c.axis("axis", c.output().shape.length);
    const at = c.lowering.ints([axis]);
    const parts = c.ids.map((id) => c.graph.op("Unsqueeze", [c.lowering.name(id), at]));
    return c.graph.op("Concat", parts, { axis });
  },
  Unpack: (c, k) => {
    const axis = c.axis("axis", c.shape(0).length);
    return c.graph.op("Squeeze", [slice(c, [k], [k + 1], [axis]), c.lowering.ints([axis])]);
  },
  PadV2: pad,
  GatherV2: (c) => {
    if (c.attr("batchDims") === 0) {
      const axis = c.axis("axis", c.shape("x").length);
      return c.graph.op("Gather", [c.input("x"), ids(c, "indices")], { axis });
    }
    return gatherEach(c);
  },
  GatherNd: (c) => {
    const wide = c.graph.op("Cast", [ids(c, "indices")], { to: INT64 });
    return c.graph.op("GatherND", [c.input("params"), wide]);
  },
  OneHot: (c) => {
    const depth = c.number("depth");
    const count = Array.from({ length: depth }, (_, i) => i);
    const places = c.graph.constant(INT32, [depth], count);
    const own = c.graph.op("Unsqueeze", [c.input("indices"), c.lowering.ints([-1])]);
    const { dtype } = c.output();
    const sides = [c.number("onValue"), c.number("offValue")].map((side) =>
      c.lowering.scalar(side, dtype),
    );
    return c.graph.op("Where", [c.graph.op("Equal", [own, places]), ...sides]);
  },
  Reverse: (c) => {
    const axes = c.reversedAxes();
    const each = (value: number): string => c.lowering.ints(axes.map(() => value));
    const bounds = [each(-1), each(-END), c.lowering.ints(axes), each(-1)];
    return axes.length === 0 ? c.input(0) : c.graph.op("Slice", [c.input(0), ...bounds]);
  },
  StridedSlice: stridedSlice,
  UnsortedSegmentSum: scatter,
  Tile: (c) => c.graph.op("Tile", [c.input(0), c.lowering.dims(c.sizes("reps"))]),
  BroadcastTo: (c) => c.graph.op("Expand", [c.input(0), c.lowering.dims(c.output().shape)]),
  Fill: (c) => filled(c, c.number("value")),
  ZerosLike: (c) => filled(c, 0),
  OnesLike: (c) => filled(c, 1),
};

/** Beyond the end of any axis. */
const END = 0x7fffffff;

/** Every row of a batch takes from its own part of the table. */
function gatherEach(c: LoweredCall): string {
  const [batch, axis] = [c.number("batchDims"), c.axis("axis", c.shape("x").length)];
  if (axis !== batch) refuse("gather with batchDims and another axis has no ONNX lowering");
  const wide = c.graph.op("Cast", [ids(c, "indices")], { to: INT64 });
  const each = c.graph.op("Unsqueeze", [wide, c.lowering.ints([-1])]);
  return c.graph.op("GatherND", [c.input("x"), each], { batch_dims: batch });
}

function stridedSlice(c: LoweredCall): string {
  const { begin, end, strides } = c.strided(END);
  const axes = c.lowering.ints(begin.map((_, i) => i));
  const bounds = [c.lowering.dims(begin), c.lowering.dims(end), axes, c.lowering.ints(strides)];
  const name = c.graph.op("Slice", [c.input(0), ...bounds]);
  const to = c.output().shape;
  return to.length === c.shape(0).length ? name : c.graph.op("Reshape", [name, shapeTo(c, to)]);
}

/** One open size is written -1, so that the graph needs not compute it. */
function reshape(c: LoweredCall): string {
  const to = c.output().shape;
  if (sameShape(c.shape(0), to)) return c.input(0);
  return c.graph.op("Reshape", [c.input(0), shapeTo(c, to)]);
}

function shapeTo(c: LoweredCall, to: readonly Dim[]): string {
  const simple = to.filter((dim) => !isFixed(dim)).length <= 1 && !to.includes(0);
  return simple ? c.lowering.ints(to.map((dim) => (isFixed(dim) ? dim : -1))) : c.lowering.dims(to);
}

function slice(
  c: LoweredCall,
  begin: readonly Dim[],
  end: readonly Dim[],
  axes: readonly number[],
): string {
  const { lowering } = c;
  const bounds = [lowering.dims(begin), lowering.dims(end), lowering.ints(axes)];
  return c.graph.op("Slice", [c.input(0), ...bounds]);
}

/** TensorFlow.js lists [before, after] by axis; ONNX lists every before, then every after. */
function pad(c: LoweredCall): string {
  const pairs = c.sizes("paddings");
  const order = [...pairs.filter((_, i) => i % 2 === 0), ...pairs.filter((_, i) => i % 2 === 1)];
  const value = c.lowering.scalar(c.number("constantValue"), c.output().dtype);
  return c.graph.op("Pad", [c.input(0), c.lowering.dims(order), value]);
}

/** The gradient of gather: rows are added up by their ids. */
function scatter(c: LoweredCall): string {
  const { graph, lowering } = c;
  const wide = graph.op("Cast", [ids(c, 1)], { to: INT64 });
  const indices = graph.op("Unsqueeze", [wide, lowering.ints([-1])]);
  return graph.op("ScatterND", [filled(c, 0), indices, c.input(0)], { reduction: "add" });
}

/** Ids of rows. ONNX would count negative ones from the end; here they are errors, as in TensorFlow.js. */
function ids(c: LoweredCall, input: string | number): string {
  const { graph } = c;
  const name = c.input(input);
  const negative = graph.op("Less", [name, graph.constant(INT32, [], [0])]);
  return graph.op("Where", [negative, graph.constant(INT32, [], [0x7fffffff]), name]);
}

function filled(c: LoweredCall, value: number): string {
  const { dtype, shape } = c.output();
  const one = c.graph.constant(elementTypes[dtype], [], [value]);
  return shape.length === 0 ? one : c.graph.op("Expand", [one, c.lowering.dims(shape)]);
}

function numbers(c: LoweredCall, name: string): readonly number[] {
  const value = c.attr(name);
  return typeof value === "object" && value !== null
    ? value
    : refuse(`${c.call.kernel} needs a list ${name}`);
}
