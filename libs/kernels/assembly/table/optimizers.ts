// Moves rows by the update rule that the table has, and gives new ones their slots.
import { narrow, widen } from "./bfloat16";
import { a, b, c, first, kind, rate } from "./hyperparameters";
import {
  foundAt,
  halves,
  idBytes,
  rowAt,
  slotBytes,
  storedBytes,
  valueBytes,
  valuesAt,
} from "./layout";
import {
  stepAdagrad,
  stepAdam,
  stepFtrl,
  stepMomentum,
  stepRowwiseAdagrad,
  stepSgd,
} from "./rules";

const adagrad: u32 = 1;
const momentum: u32 = 2;
const rowwiseAdagrad: u32 = 3;
const adam: u32 = 4;
const ftrl: u32 = 5;

/** Gives a new row its slots; its values are drawn already. */
export function startSlots(values: usize, slots: usize): void {
  for (let at: u32 = 0; at < slotBytes; at += 4) store<f32>(slots + at, first);
  if (kind != ftrl) return;
  // z is such that the closed form gives the drawn value.
  for (let at: u32 = 0; at < valueBytes; at += 4) {
    const value = load<f32>(values + at);
    const shrunk = value == 0 ? <f32>0 : copysign<f32>(b, value);
    store<f32>(slots + valueBytes + at, -(value * (a / rate + c) + shrunk));
  }
}

/** Moves each found row by its staged gradient. */
export function update(count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const stored = <usize>load<u32>(foundAt + ((<usize>i) << 2)) + idBytes;
    const values = halves ? rowAt : stored;
    const slots = stored + storedBytes;
    const gradients = valuesAt + <usize>i * valueBytes;
    if (halves) widen(stored, values);
    if (kind == adagrad) stepAdagrad(values, slots, gradients);
    else if (kind == momentum) stepMomentum(values, slots, gradients);
    else if (kind == rowwiseAdagrad) stepRowwiseAdagrad(values, slots, gradients);
    else if (kind == adam) stepAdam(values, slots, gradients);
    else if (kind == ftrl) stepFtrl(values, slots, gradients);
    else stepSgd(values, gradients);
    if (halves) narrow(values, stored);
  }
}
