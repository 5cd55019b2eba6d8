import { refuse } from "./not-recordable.ts";

/** A size that grows with the number of rows: `rows * n + plus`. */
interface OpenDim {
  readonly rows: number;
  readonly plus: number;
}

/** One size of a shape, or any whole number of an attribute: fixed, or open with the rows. */
export type Dim = number | OpenDim;

/** A number made in JavaScript: fixed, `times * n` or `over / n`, where n is the number of rows. */
export type Scalar = number | { readonly times: number } | { readonly over: number };

/** The two numbers of rows that a step was recorded with. */
export interface RowCounts {
  readonly a: number;
  readonly b: number;
}

/** The straight line through what was seen with `a` rows and with `b` rows; refuses what is not whole. */
export function mergeDim(p: number, q: number, n: RowCounts, what: string): Dim {
  if (p === q) return p;
  const rows = (p - q) / (n.a - n.b);
  if (!Number.isInteger(rows) || !Number.isInteger(p)) {
    refuse(`${what} was ${p} with ${n.a} rows and ${q} with ${n.b}, which no multiple explains`);
  }
  return { rows, plus: p - rows * n.a };
}

/** As `mergeDim`, for the real numbers that mean and its gradient make: proportional or inverse to the rows. */
export function mergeScalar(p: number, q: number, n: RowCounts): Scalar {
  if (Object.is(p, q)) return p;
  if (near(p / n.a, q / n.b)) return { times: tidy(p / n.a) };
  if (near(p * n.a, q * n.b)) return { over: tidy(p * n.a) };
  return refuse(`a number made in JavaScript changed between two recordings: ${p}, then ${q}`);
}

export function isFixed(dim: Dim): dim is number {
  return typeof dim === "number";
}

/** The size for that many rows. */
export function sizeAt(dim: Dim, rows: number): number {
  return isFixed(dim) ? dim : dim.rows * rows + dim.plus;
}

export function sameDim(p: Dim, q: Dim): boolean {
  if (isFixed(p) || isFixed(q)) return p === q;
  return p.rows === q.rows && p.plus === q.plus;
}

export function sameShape(p: readonly Dim[], q: readonly Dim[]): boolean {
  return p.length === q.length && p.every((dim, i) => sameDim(dim, q[i] ?? NaN));
}

export function addDims(p: Dim, q: Dim): Dim {
  if (isFixed(p) && isFixed(q)) return p + q;
  const rows = (isFixed(p) ? 0 : p.rows) + (isFixed(q) ? 0 : q.rows);
  const plus = (isFixed(p) ? p : p.plus) + (isFixed(q) ? q : q.plus);
  return rows === 0 ? plus : { rows, plus };
}

/** The shape that two operands broadcast to, by NumPy's rule. */
export function broadcastShape(p: readonly Dim[], q: readonly Dim[]): Dim[] {
  const rank = Math.max(p.length, q.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = p[i - rank + p.length] ?? 1;
    const y = q[i - rank + q.length] ?? 1;
    return x === 1 ? y : x;
  });
}

function near(p: number, q: number): boolean {
  return Math.abs(p - q) <= 1e-6 * Math.abs(p);
}

/** Constants pass through float32: 1/23 * 23 is not quite 1, yet 1 is what the step meant. */
function tidy(x: number): number {
  const whole = Math.round(x);
  return near(x, whole) ? whole : x;
}
