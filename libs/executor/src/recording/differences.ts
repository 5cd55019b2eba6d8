import type { Scalar } from "./dim.ts";
import { sizeAt } from "./dim.ts";
import type { Attr, Call, Constant, Program, Value } from "./program.ts";
import type { RecordedCall, RecordedTensor, Recording, Values } from "./record.ts";

/** The first thing in which a recording with that many rows is not the program, in words; undefined when it is the program. */
export function differenceFrom(program: Program, now: Recording, rows: number): string | undefined {
  for (const [place, call] of now.calls.entries()) {
    const difference = differentCall(program, place, call, now, rows);
    if (difference !== undefined) return difference;
  }
  const left = program.calls[now.calls.length];
  if (left !== undefined) return `it no longer calls kernel ${left.kernel}`;
  if (
    !same(
      program.draws.map(({ draw }) => draw),
      now.draws,
    )
  ) {
    return "a random operation has other arguments";
  }
  // Constants that only an output names are read by no call.
  for (const [name, id] of Object.entries(now.outputs)) {
    const was = program.outputs[name];
    if (was === undefined) return `output "${name}" is new`;
    const difference = differentTensor(program.values[was], now.tensors[id], rows);
    if (was !== id || difference !== undefined) {
      return `output "${name}" ${difference ?? "is another tensor"}`;
    }
  }
  const gone = Object.keys(program.outputs).find((name) => now.outputs[name] === undefined);
  return gone === undefined ? undefined : `output "${gone}" is gone`;
}

function differentCall(
  program: Program,
  place: number,
  call: RecordedCall,
  now: Recording,
  rows: number,
): string | undefined {
  const was = program.calls[place];
  const where = `kernel ${call.kernel} (call ${place + 1})`;
  if (was?.kernel !== call.kernel) return `it calls ${where} instead of ${was?.kernel ?? "none"}`;
  for (const [name, id] of Object.entries(call.inputs)) {
    const value = program.values[was.inputs[name] ?? -1];
    const difference = differentTensor(value, now.tensors[id], rows);
    if (difference !== undefined) return `input ${name} of ${where} ${difference}`;
  }
  if (!same(was.inputs, call.inputs) || !same(was.outputs, call.outputs)) {
    return `${where} reads other tensors`;
  }
  return differentAttr(was, call, rows, where);
}

function differentAttr(
  was: Call,
  call: RecordedCall,
  rows: number,
  where: string,
): string | undefined {
  for (const name of new Set([...Object.keys(was.attrs), ...Object.keys(call.attrs)])) {
    const [then, now] = [attrAt(was.attrs[name], rows), call.attrs[name]];
    if (!same(then, now)) {
      return `attribute ${name} of ${where} was ${JSON.stringify(then)} and is ${JSON.stringify(now)}`;
    }
  }
  return undefined;
}

function differentTensor(
  was: Value | undefined,
  now: RecordedTensor | undefined,
  rows: number,
): string | undefined {
  if (was === undefined || now === undefined) return "is another tensor";
  const shape = was.shape.map((dim) => sizeAt(dim, rows));
  if (was.dtype !== now.dtype || !same(shape, now.shape)) {
    return `had shape [${shape.join()}] and has [${now.shape.join()}]`;
  }
  if (now.origin.kind !== "constant") return undefined;
  // What kernels make of constants is a constant of the program, too: those are judged by what they are made of.
  if (was.origin.kind !== "constant") return "is a constant now";
  return differentValues(was.origin.constant, now.values ?? new Float32Array(), rows);
}

function differentValues(was: Constant, now: Values, rows: number): string | undefined {
  const then =
    was.kind === "filled" ? () => scalarAt(was.value, rows) : (i: number) => was.values[i] ?? NaN;
  const exact = was.kind === "values" || typeof was.value === "number";
  const at = now.findIndex((x, i) => !(exact ? Object.is(x, then(i)) : near(x, then(i))));
  if (at < 0) return undefined;
  const element = now.length === 1 ? "" : ` in element ${at}`;
  return `was ${inWords(then(at))} and is ${inWords(now[at] ?? NaN)}${element}`;
}

/** A float32 number as it was written: 0.1, not 0.10000000149011612. */
function inWords(x: number): string {
  return String(Number(x.toPrecision(7)));
}

function scalarAt(scalar: Scalar, rows: number): number {
  if (typeof scalar === "number") return scalar;
  return "times" in scalar ? scalar.times * rows : scalar.over / rows;
}

function attrAt(attr: Attr | undefined, rows: number): unknown {
  if (typeof attr !== "object" || attr === null) return attr;
  return "rows" in attr ? sizeAt(attr, rows) : attr.map((item: Attr) => attrAt(item, rows));
}

function near(p: number, q: number): boolean {
  return Math.abs(p - q) <= 1e-6 * Math.abs(q);
}

function same(p: unknown, q: unknown): boolean {
  return JSON.stringify(p) === JSON.stringify(q);
}
