// What a table was told of its update rule: which one it is, and its numbers.

export let kind: u32 = 0;
export let rate: f32 = 0;
/** Adagrad's first accumulator. */
export let first: f32 = 0;
export let epsilon: f32 = 0;
/** momentum: its factor · adam: β1, β2 and what they leave of 1 · ftrl: β, λ1, λ2. */
export let a: f32 = 0;
export let b: f32 = 0;
export let c: f32 = 0;
export let restOfA: f32 = 0;
export let restOfB: f32 = 0;

/** Numbers come as float64, so that what β leaves of 1 is right to the last bit. */
export function setOptimizer(
  which: u32,
  its: f64,
  start: f64,
  small: f64,
  one: f64,
  two: f64,
  three: f64,
): void {
  kind = which;
  rate = <f32>its;
  first = <f32>start;
  epsilon = <f32>small;
  a = <f32>one;
  b = <f32>two;
  c = <f32>three;
  restOfA = <f32>(1 - one);
  restOfB = <f32>(1 - two);
}
