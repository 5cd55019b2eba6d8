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
 * Each pair of columns takes one pair of uniform numbers from two counter-based streams.
 *
 * @source Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958.
 */
export function drawRow(id: u64, at: usize): void {
  if (deviation == 0) return memory.fill(at, 0, valueBytes);
  const low = <u32>id;
  const high = <u32>(id >> 32);
  const first = mix32(mix32(seed, low), high);
  const second = mix32(mix32(seed ^ secondSeed, high), low);
  for (let column: u32 = 0; column < dimension; column += 2) {
    const radius = deviation * sqrt<f64>(-2 * logOf(mix32(first, column)));
    const out = at + ((<usize>column) << 2);
    drawPair(radius, mix32(second, column), out, column + 1 < dimension);
  }
}

/** The logarithm of (bits + ½) / 2³². */
function logOf(bits: u32): f64 {
  const exponent = 31 - <i32>clz<u32>(bits);
  const scale = reinterpret<f64>((<u64>(1023 - exponent)) << 52);
  const fraction = (<f64>bits + 0.5) * scale;
  // log f = log √2 + 2 artanh s
  const s = (fraction - rootOfTwo) / (fraction + rootOfTwo);
  const z = s * s;
  const series =
    1 +
    z *
      (1.0 / 3 +
        z *
          (1.0 / 5 +
            z *
              (1.0 / 7 +
                z *
                  (1.0 / 9 +
                    z *
                      (1.0 / 11 +
                        z *
                          (1.0 / 13 +
                            z * (1.0 / 15 + z * (1.0 / 17 + z * (1.0 / 19 + z * (1.0 / 21))))))))));
  return 2 * s * series + (<f64>exponent - 31.5) * logOfTwo;
}

/** radius × (cosine, sine) of angle / 2³² turns. */
function drawPair(radius: f64, angle: u32, out: usize, both: bool): void {
  const quarter = (angle + 0x20000000) >> 30;
  const x = <f64>(<i32>(angle - (quarter << 30))) * turn;
  const z = x * x;
  const sine =
    x *
    (1 +
      z *
        (-1.0 / 6 +
          z *
            (1.0 / 120 +
              z *
                (-1.0 / 5040 +
                  z *
                    (1.0 / 362880 +
                      z *
                        (-1.0 / 39916800 +
                          z *
                            (1.0 / 6227020800 +
                              z * (-1.0 / 1307674368000 + z * (1.0 / 355687428096000)))))))));
  const cosine =
    1 +
    z *
      (-1.0 / 2 +
        z *
          (1.0 / 24 +
            z *
              (-1.0 / 720 +
                z *
                  (1.0 / 40320 +
                    z *
                      (-1.0 / 3628800 +
                        z *
                          (1.0 / 479001600 +
                            z * (-1.0 / 87178291200 + z * (1.0 / 20922789888000))))))));
  const odd = (quarter & 1) != 0;
  const x1 = odd ? sine : cosine;
  const y1 = odd ? cosine : sine;
  store<f32>(out, <f32>(radius * (quarter == 1 || quarter == 2 ? -x1 : x1)));
  if (both) store<f32>(out + 4, <f32>(radius * (quarter >= 2 ? -y1 : y1)));
}

/** 32 well-mixed bits of (seed, n), as libs/base has it. */
function mix32(from: u32, n: u32): u32 {
  let x = from ^ (n * 0x9e3779b1);
  x = (x ^ (x >> 16)) * 0x85ebca6b;
  x = (x ^ (x >> 13) ^ from) * 0xc2b2ae35;
  x = (x ^ (x >> 16)) * 0x27d4eb2f;
  return x ^ (x >> 15);
}
