// Update rules over staged gradients. All arithmetic is float32, rounded after each operation; a lane is a column, so vectors
// give the same bits as numbers one by one.
import { dimension, foundAt, idBytes, slotBytes, valueBytes, valuesAt } from "./layout";

export const sgd: u32 = 0;
export const adagrad: u32 = 1;

let kind: u32 = 0;
let rate: f32 = 0;
let epsilon: f32 = 0;
let firstSlot: f32 = 0;

export function setOptimizer(which: u32, its: f32, first: f32, small: f32): void {
  kind = which;
  rate = its;
  firstSlot = first;
  epsilon = small;
}

/** Gives a new row its slots. */
export function startSlots(record: usize): void {
  const slots = record + idBytes + valueBytes;
  for (let at: u32 = 0; at < slotBytes; at += 4) store<f32>(slots + at, firstSlot);
}

/** Moves each found row by its staged gradient. */
export function update(count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const values = <usize>load<u32>(foundAt + ((<usize>i) << 2)) + idBytes;
    const gradients = valuesAt + <usize>i * valueBytes;
    if (kind == adagrad) updateAdagrad(values, gradients);
    else updateSgd(values, gradients);
  }
}

/** value −= rate × g. */
function updateSgd(values: usize, gradients: usize): void {
  const rates = f32x4.splat(rate);
  const whole = valueBytes & ~15;
  let at: u32 = 0;
  for (; at < whole; at += 16) {
    const step = f32x4.mul(rates, v128.load(gradients + at));
    v128.store(values + at, f32x4.sub(v128.load(values + at), step));
  }
  for (; at < valueBytes; at += 4) {
    store<f32>(values + at, load<f32>(values + at) - rate * load<f32>(gradients + at));
  }
}

/**
 * accumulator += g²; value −= rate × g / (√accumulator + ε).
 *
 * @source TensorFlow, ResourceApplyAdagradV2.
 */
function updateAdagrad(values: usize, gradients: usize): void {
  const slots = values + valueBytes;
  const rates = f32x4.splat(rate);
  const epsilons = f32x4.splat(epsilon);
  const whole = valueBytes & ~15;
  let at: u32 = 0;
  for (; at < whole; at += 16) {
    const g = v128.load(gradients + at);
    const sum = f32x4.add(v128.load(slots + at), f32x4.mul(g, g));
    v128.store(slots + at, sum);
    const step = f32x4.div(f32x4.mul(rates, g), f32x4.add(f32x4.sqrt(sum), epsilons));
    v128.store(values + at, f32x4.sub(v128.load(values + at), step));
  }
  for (; at < valueBytes; at += 4) {
    const g = load<f32>(gradients + at);
    const sum = load<f32>(slots + at) + g * g;
    store<f32>(slots + at, sum);
    const step = (rate * g) / (sqrt<f32>(sum) + epsilon);
    store<f32>(values + at, load<f32>(values + at) - step);
  }
}
