import { present } from "@heddle/base";
import { type Dim, mergeDim, mergeScalar, type RowCounts, type Scalar } from "./dim.ts";
import { refuse } from "./not-recordable.ts";
import type { InputSpec } from "../port.ts";
import type { Draw } from "../random/draw.ts";
import type { DType, Origin, RecordedCall, Recording, RecordedTensor, Values } from "./record.ts";

/** What is known of a constant: all its values, or that all of them are one number. */
export type Constant =
  | { readonly kind: "values"; readonly values: Values }
  | { readonly kind: "filled"; readonly value: Scalar };

/** A tensor of a program, for any number of rows. */
export interface Value {
  readonly id: number;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  readonly origin:
    | Exclude<Origin, { kind: "constant" } | { kind: "draw" }>
    | { readonly kind: "constant"; readonly constant: Constant };
}

/** What a graph is fed. */
export interface GraphInput {
  readonly dtype: "float32" | "int32";
  readonly shape: readonly Dim[];
}

/** A random operation of the step: its numbers are an input of the graph. */
export interface ProgramDraw extends GraphInput {
  readonly input: string;
  readonly draw: Draw;
}

/** An attribute, with open dimensions where the two recordings differed. */
export type Attr = string | boolean | null | Dim | readonly Attr[];

export interface Call {
  readonly kernel: string;
  /** Ids of the inputs by the kernel's own names, in its own order. */
  readonly inputs: Readonly<Record<string, number>>;
  readonly attrs: Readonly<Record<string, Attr>>;
  readonly outputs: readonly number[];
}

/** A step for any number of rows: kernel calls over tensors whose shapes may be open. */
export interface Program {
  readonly values: readonly Value[];
  readonly calls: readonly Call[];
  readonly draws: readonly ProgramDraw[];
  readonly outputs: Readonly<Record<string, number>>;
}

/** All that the graph of a program is fed: the inputs of the step, then its random numbers. */
export function graphInputs(
  { draws }: Program,
  inputs: Readonly<Record<string, InputSpec>>,
): Readonly<Record<string, GraphInput>> {
  const own = Object.entries(inputs).map(([name, { dtype, shape }]) => {
    const dims = shape.map((dim): Dim => (dim === "rows" ? { rows: 1, plus: 0 } : dim));
    return [name, { dtype, shape: dims }] as const;
  });
  const drawn = draws.map((draw) => [draw.input, draw] as const);
  return Object.fromEntries<GraphInput>([...own, ...drawn]);
}

/**
 * Tells the open dimension from constants: whatever differs between a recording with `a` rows and one with
 * `b` rows must be explained by the rows, or the step is refused.
 *
 * @throws {NotRecordable} naming the first thing that differs otherwise.
 */
export function mergeRecordings(a: Recording, b: Recording, rows: RowCounts): Program {
  if (JSON.stringify(a.draws) !== JSON.stringify(b.draws)) {
    refuse("random operations got other arguments in a second recording: let none depend on sizes");
  }
  if (wiring(a) !== wiring(b)) {
    refuse(
      "two recordings with other row counts called other kernels: let nothing branch on sizes",
    );
  }
  const calls = a.calls.map((call, i) => mergeCall(call, b.calls[i] ?? call, rows));
  const values = a.tensors.map((tensor, id) =>
    mergeTensor(id, tensor, b.tensors[id] ?? tensor, rows),
  );
  const draws = a.tensors.flatMap((tensor, id): ProgramDraw[] => {
    if (tensor.origin.kind !== "draw") return [];
    const draw = present(a.draws[tensor.origin.place], "a draw");
    const { shape } = present(values[id], "a drawn tensor");
    return [{ input: drawInput(tensor.origin.place), dtype: draw.dtype, shape, draw }];
  });
  return { values, calls, draws, outputs: a.outputs };
}

/** The input of a graph for the numbers of a draw. A step's own inputs have names without a line break. */
function drawInput(place: number): string {
  return `draw\n${place}`;
}

/** Which kernel reads which tensor: what must be equal whatever the sizes. */
function wiring(recording: Recording): string {
  return JSON.stringify([
    recording.calls.map((call) => [call.kernel, call.inputs, call.outputs]),
    recording.tensors.map((tensor) => [tensor.dtype, tensor.shape.length, tensor.origin]),
    recording.outputs,
  ]);
}

function mergeTensor(id: number, a: RecordedTensor, b: RecordedTensor, rows: RowCounts): Value {
  const shape = a.shape.map((dim, i) => mergeDim(dim, b.shape[i] ?? dim, rows, "a dimension"));
  const { dtype, origin } = a;
  if (origin.kind === "draw") {
    return { id, dtype, shape, origin: { kind: "input", name: drawInput(origin.place) } };
  }
  if (origin.kind === "constant") {
    const constant = mergeConstant(a, b, rows);
    return { id, dtype, shape, origin: { kind: "constant", constant } };
  }
  // What was computed from constants alone, and came out the same, need not be computed again.
  const same = a.values !== undefined && b.values !== undefined && sameValues(a.values, b.values);
  if (origin.kind === "call" && same && shape.every((dim) => typeof dim === "number")) {
    const constant: Constant = { kind: "values", values: a.values };
    return { id, dtype, shape, origin: { kind: "constant", constant } };
  }
  return { id, dtype, shape, origin };
}

function mergeConstant(a: RecordedTensor, b: RecordedTensor, rows: RowCounts): Constant {
  const [p, q] = [a.values ?? new Float32Array(), b.values ?? new Float32Array()];
  const [fillA, fillB] = [fillOf(p), fillOf(q)];
  if (fillA !== undefined && fillB !== undefined) {
    return { kind: "filled", value: mergeScalar(fillA, fillB, rows) };
  }
  if (sameValues(p, q)) return { kind: "values", values: p };
  return refuse(
    `a tensor of shape [${a.shape.join()}] made in JavaScript changed between two recordings: pass it as an input`,
  );
}

function mergeCall(a: RecordedCall, b: RecordedCall, rows: RowCounts): Call {
  if (a.kernel === "Multinomial") refuse("the step draws random numbers (kernel Multinomial)");
  const attrs: Record<string, Attr> = {};
  for (const [name, value] of Object.entries(a.attrs)) {
    attrs[name] = mergeAttr(value, b.attrs[name], rows, `attribute ${name} of ${a.kernel}`);
  }
  return { kernel: a.kernel, inputs: a.inputs, attrs, outputs: a.outputs };
}

function mergeAttr(p: unknown, q: unknown, rows: RowCounts, what: string): Attr {
  if (typeof p === "number" && typeof q === "number") return mergeDim(p, q, rows, what);
  if (Array.isArray(p) && Array.isArray(q) && p.length === q.length) {
    return p.map((item, i) => mergeAttr(item, q[i], rows, what));
  }
  if (typeof p === "string" || typeof p === "boolean" || p === null) {
    if (p === q) return p;
  }
  return refuse(`${what} is not a plain value, or changed between two recordings`);
}

function fillOf(values: Values): number | undefined {
  const first = values[0];
  return values.every((x) => Object.is(x, first)) ? first : undefined;
}

function sameValues(p: Values, q: Values): boolean {
  return p.length === q.length && p.every((x, i) => Object.is(x, q[i]));
}
