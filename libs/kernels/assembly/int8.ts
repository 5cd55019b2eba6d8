// Rows in a byte a value. A packed row is its scale, float32, and then its values as whole multiples of it, from −127 to 127.

/** Below it no scale has a reciprocal: such a row is packed as zeros. */
const leastMax: f32 = 1e-35;
const levels: f32 = 127;
const headBytes: usize = 4;

/**
 * Packs rows of float32, one behind the other.
 *
 * @param drawn how a value between two multiples is rounded: to one of them by chance, so that on average it is itself, or, if not, to the
 *   nearest, ties to even. The chance is a hash of its own bits, and so the same wherever the row is packed.
 */
export function packInt8(rows: usize, values: u32, count: u32, out: usize, drawn: bool): void {
  for (let i: u32 = 0; i < count; i++) {
    const max = largest(rows, values);
    const scale: f32 = max < leastMax ? <f32>0 : max / levels;
    // Of NaN and infinity the scale is told, which makes every value of the row no number.
    const inverse: f32 = max < leastMax ? <f32>0 : levels / max;
    store<f32>(out, scale);
    packRow(rows, values, inverse, out + headBytes, drawn);
    rows += (<usize>values) << 2;
    out += headBytes + values;
  }
}

/** The way back: float32 rows, one behind the other. */
export function unpackInt8(packed: usize, values: u32, count: u32, out: usize): void {
  const whole = values & ~3;
  for (let i: u32 = 0; i < count; i++) {
    const scale = load<f32>(packed);
    packed += headBytes;
    const scales = f32x4.splat(scale);
    let v: u32 = 0;
    for (; v < whole; v += 4) {
      const bytes = v128.load32_zero(packed + v);
      const numbers = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(bytes));
      v128.store(out + (v << 2), f32x4.mul(f32x4.convert_i32x4_s(numbers), scales));
    }
    for (; v < values; v++) store<f32>(out + (v << 2), <f32>load<i8>(packed + v) * scale);
    packed += values;
    out += (<usize>values) << 2;
  }
}

/** The largest size of a row's values; NaN where one is. */
function largest(row: usize, values: u32): f32 {
  const whole = values & ~3;
  let sizes = f32x4.splat(0);
  let v: u32 = 0;
  for (; v < whole; v += 4) sizes = f32x4.max(sizes, f32x4.abs(v128.load(row + (v << 2))));
  let max = Mathf.max(
    Mathf.max(f32x4.extract_lane(sizes, 0), f32x4.extract_lane(sizes, 1)),
    Mathf.max(f32x4.extract_lane(sizes, 2), f32x4.extract_lane(sizes, 3)),
  );
  for (; v < values; v++) max = Mathf.max(max, abs<f32>(load<f32>(row + (v << 2))));
  return max;
}

function packRow(row: usize, values: u32, inverse: f32, out: usize, drawn: bool): void {
  let v: u32 = 0;
  for (; v + 4 <= values; v += 4) {
    const bytes = narrowed(multiples(v128.load(row + (v << 2)), v, inverse, drawn));
    v128.store32_lane(out + v, bytes, 0);
  }
  if (v == values) return;
  // The last values come into a vector one by one, so that nothing behind the row is read.
  let rest = v128.load32_zero(row + (v << 2));
  if (v + 1 < values) rest = v128.load32_lane(row + ((v + 1) << 2), rest, 1);
  if (v + 2 < values) rest = v128.load32_lane(row + ((v + 2) << 2), rest, 2);
  const bytes = narrowed(multiples(rest, v, inverse, drawn));
  store<u8>(out + v, i8x16.extract_lane_u(bytes, 0));
  if (v + 1 < values) store<u8>(out + v + 1, i8x16.extract_lane_u(bytes, 1));
  if (v + 2 < values) store<u8>(out + v + 2, i8x16.extract_lane_u(bytes, 2));
}

/** Whole multiples of the scale, as int32. @param column of the first value. */
function multiples(values: v128, column: u32, inverse: f32, drawn: bool): v128 {
  const scaled = f32x4.mul(values, f32x4.splat(inverse));
  const whole = drawn
    ? f32x4.floor(f32x4.add(scaled, chances(values, column)))
    : f32x4.nearest(scaled);
  const bound = f32x4.splat(levels);
  return i32x4.trunc_sat_f32x4_s(f32x4.max(f32x4.neg(bound), f32x4.min(bound, whole)));
}

/**
 * A number from 0 to less than 1 for each value and its column.
 *
 * @source C. Wellons, "Prospecting for hash functions", 2018: the mixer `lowbias32`.
 */
function chances(values: v128, column: u32): v128 {
  const columns = i32x4.add(i32x4.splat(column), i32x4(0, 1, 2, 3));
  let x = v128.xor(values, i32x4.mul(columns, i32x4.splat(0x9e3779b1)));
  x = v128.xor(x, i32x4.shr_u(x, 16));
  x = i32x4.mul(x, i32x4.splat(0x7feb352d));
  x = v128.xor(x, i32x4.shr_u(x, 15));
  x = i32x4.mul(x, i32x4.splat(0x846ca68b));
  // 16 bits: with a multiple of up to 127 before them, a float32 has room for no more.
  x = i32x4.shr_u(v128.xor(x, i32x4.shr_u(x, 16)), 16);
  return f32x4.mul(f32x4.convert_i32x4_s(x), f32x4.splat(1.0 / 65536.0));
}

/** int32 to int8; the first four count. */
function narrowed(numbers: v128): v128 {
  const halves = i16x8.narrow_i32x4_s(numbers, numbers);
  return i8x16.narrow_i16x8_s(halves, halves);
}
