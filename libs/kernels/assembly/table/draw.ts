// The initial values of a row: normal draws that depend on (seed, id, column) alone, so that every shard, replay and reader sees the same
// row, whoever asks first. Logarithm, sine and cosine are their series, right to the last bits of a float64: a platform's own differ in these
// from one version to the next, and with them every model would.
import { dimension, valueBytes } from "./layout";

const secondSeed: u32 = 0x5bd1e995;
const rootOfTwo: f64 = 1.4142135623730951;
const logOfTwo: f64 = 0.6931471805599453;
/** 2π / 2³². */
const turn: f64 = 1.4629180792671596e-9;

let seed: u32 = 0;
let deviation: f64 = 0;

export function setDraw(itsSeed: u32, itsDeviation: f64): void {
  seed = itsSeed;
  deviation = itsDeviation;
}

/**
 * Each pair of columns takes one pair of uniform numbers from two counter-based streams. Two pairs are drawn at a time, each in one half
 * of the vectors.
 *
 * @source Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958.
 */
export function drawRow(id: u64, at: usize): void {
  if (deviation == 0) return memory.fill(at, 0, valueBytes);
  const low = <u32>id;
  const high = <u32>(id >> 32);
  const first = mix32(mix32(seed, low), high);
  const second = mix32(mix32(seed ^ secondSeed, high), low);
  const streams = i32x4(first, first, second, second);
  for (let column: u32 = 0; column < dimension; column += 4) {
    const bits = mixAll(streams, i32x4(column, column + 2, column, column + 2));
    const log = f64x2.mul(f64x2.splat(-2), logOf(bits));
    const radius = f64x2.mul(f64x2.splat(deviation), f64x2.sqrt(log));
    const values = onCircle(radius, v128.shuffle<i32>(bits, bits, 2, 3, 2, 3));
    storeSome(values, at + ((<usize>column) << 2), dimension - column);
  }
}

/** Of the first two lanes the logarithms of (bits + ½) / 2³². */
function logOf(bits: v128): v128 {
  const all = f64x2.add(f64x2.convert_low_i32x4_u(bits), f64x2.splat(0.5));
  const biased = i64x2.shr_u(all, 52);
  const power = f64x2.convert_low_i32x4_u(v128.shuffle<i32>(biased, biased, 0, 2, 0, 2));
  const mantissa = v128.and(all, i64x2.splat(0xfffffffffffff));
  const fraction = v128.or(mantissa, f64x2.splat(1));
  // log f = log √2 + 2 artanh s
  const root = f64x2.splat(rootOfTwo);
  const s = f64x2.div(f64x2.sub(fraction, root), f64x2.add(fraction, root));
  const z = f64x2.mul(s, s);
  let series = f64x2.splat(1.0 / 21);
  series = next(series, z, 1.0 / 19);
  series = next(series, z, 1.0 / 17);
  series = next(series, z, 1.0 / 15);
  series = next(series, z, 1.0 / 13);
  series = next(series, z, 1.0 / 11);
  series = next(series, z, 1.0 / 9);
  series = next(series, z, 1.0 / 7);
  series = next(series, z, 1.0 / 5);
  series = next(series, z, 1.0 / 3);
  series = next(series, z, 1);
  const ofFraction = f64x2.mul(f64x2.mul(f64x2.splat(2), s), series);
  const halves = f64x2.sub(power, f64x2.splat(1023 + 31.5));
  return f64x2.add(ofFraction, f64x2.mul(halves, f64x2.splat(logOfTwo)));
}

/** radius × (cosine, sine) of angle / 2³² turns, for the first two angles: four float32. */
function onCircle(radius: v128, angles: v128): v128 {
  const quarter = i32x4.shr_u(i32x4.add(angles, i32x4.splat(0x20000000)), 30);
  const rest = i32x4.sub(angles, i32x4.shl(quarter, 30));
  const x = f64x2.mul(f64x2.convert_low_i32x4_s(rest), f64x2.splat(turn));
  const z = f64x2.mul(x, x);
  let sine = f64x2.splat(1.0 / 355687428096000);
  sine = next(sine, z, -1.0 / 1307674368000);
  sine = next(sine, z, 1.0 / 6227020800);
  sine = next(sine, z, -1.0 / 39916800);
  sine = next(sine, z, 1.0 / 362880);
  sine = next(sine, z, -1.0 / 5040);
  sine = next(sine, z, 1.0 / 120);
  sine = next(sine, z, -1.0 / 6);
  sine = f64x2.mul(x, next(sine, z, 1));
  let cosine = f64x2.splat(1.0 / 20922789888000);
  cosine = next(cosine, z, -1.0 / 87178291200);
  cosine = next(cosine, z, 1.0 / 479001600);
  cosine = next(cosine, z, -1.0 / 3628800);
  cosine = next(cosine, z, 1.0 / 40320);
  cosine = next(cosine, z, -1.0 / 720);
  cosine = next(cosine, z, 1.0 / 24);
  cosine = next(cosine, z, -1.0 / 2);
  cosine = next(cosine, z, 1);
  // A quarter turn swaps the two; the cosine is negative in quarters 1 and 2, the sine in 2 and 3.
  const wide = i64x2.extend_low_i32x4_u(quarter);
  const odd = i64x2.neg(v128.and(wide, i64x2.splat(1)));
  const ofCosine = signOf(i64x2.add(wide, i64x2.splat(1)));
  const ofSine = signOf(wide);
  const x1 = v128.xor(v128.bitselect(sine, cosine, odd), ofCosine);
  const y1 = v128.xor(v128.bitselect(cosine, sine, odd), ofSine);
  const xs = f64x2.mul(radius, x1);
  const ys = f64x2.mul(radius, y1);
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(xs), f32x4.demote_f64x2_zero(ys), 0, 4, 1, 5);
}

/** One more term of a series by Horner's rule. */
function next(series: v128, z: v128, coefficient: f64): v128 {
  return f64x2.add(f64x2.splat(coefficient), f64x2.mul(z, series));
}

/** The sign bit where the number has its second bit. */
function signOf(number: v128): v128 {
  return i64x2.shl(v128.and(number, i64x2.splat(2)), 62);
}

/** Stores the first of four float32. */
function storeSome(values: v128, at: usize, count: u32): void {
  if (count >= 4) return v128.store(at, values);
  if (count == 1) return v128.store32_lane(at, values, 0);
  v128.store64_lane(at, values, 0);
  if (count == 3) v128.store32_lane(at, values, 2, 8);
}

/** 32 well-mixed bits of (seed, n), as libs/base has it. */
function mix32(from: u32, n: u32): u32 {
  return i32x4.extract_lane(mixAll(i32x4.splat(from), i32x4.splat(n)), 0);
}

/** `mix32` in each lane. */
function mixAll(from: v128, n: v128): v128 {
  let x = v128.xor(from, i32x4.mul(n, i32x4.splat(0x9e3779b1)));
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 16)), i32x4.splat(0x85ebca6b));
  x = v128.xor(v128.xor(x, i32x4.shr_u(x, 13)), from);
  x = i32x4.mul(x, i32x4.splat(0xc2b2ae35));
  x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 16)), i32x4.splat(0x27d4eb2f));
  return v128.xor(x, i32x4.shr_u(x, 15));
}
