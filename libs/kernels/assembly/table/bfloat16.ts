// Values in two bytes: the upper half of a float32, rounded to the nearest, ties to even. Arithmetic is float32 all the same.
import { dimension } from "./layout";

/** From a record's values to float32. */
export function widen(from: usize, to: usize): void {
  const whole = dimension & ~3;
  let i: u32 = 0;
  for (; i < whole; i += 4) {
    const bits = i32x4.shl(v128.load_ext<u16>(from + ((<usize>i) << 1)), 16);
    v128.store(to + ((<usize>i) << 2), bits);
  }
  for (; i < dimension; i++) {
    store<u32>(to + ((<usize>i) << 2), (<u32>load<u16>(from + ((<usize>i) << 1))) << 16);
  }
}

/** From float32 to a record's values. What is beyond the largest becomes infinite; a NaN that arithmetic makes stays one. */
export function narrow(from: usize, to: usize): void {
  const ones = i32x4.splat(1);
  const half = i32x4.splat(0x7fff);
  const whole = dimension & ~3;
  let i: u32 = 0;
  for (; i < whole; i += 4) {
    const bits = v128.load(from + ((<usize>i) << 2));
    const odd = v128.and(i32x4.shr_u(bits, 16), ones);
    const rounded = i32x4.shr_u(i32x4.add(i32x4.add(bits, half), odd), 16);
    v128.store64_lane(to + ((<usize>i) << 1), i16x8.narrow_i32x4_u(rounded, rounded), 0);
  }
  for (; i < dimension; i++) {
    store<u16>(to + ((<usize>i) << 1), <u16>(rounded(from + ((<usize>i) << 2)) >> 16));
  }
}

/** Rounds float32 values in their place. */
export function roundAll(at: usize): void {
  for (let i: u32 = 0; i < dimension; i++) {
    const value = at + ((<usize>i) << 2);
    store<u32>(value, rounded(value) & 0xffff0000);
  }
}

/** The bits of a float32, of which the upper half is rounded. */
function rounded(at: usize): u32 {
  const bits = load<u32>(at);
  return bits + 0x7fff + ((bits >> 16) & 1);
}
