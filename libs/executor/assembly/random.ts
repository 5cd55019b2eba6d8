// Random numbers as a pure function of (key, stream, place): Philox4x32-10, four blocks of four words at a time. The caller says
// where they go and what becomes of them; nothing is kept. Word w of block 4g + i is number 16g + 4w + i.
//
// Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011, section 3.3.
import { quantile } from "./normal";

const m0: i32 = 0xd2511f53;
const m1: i32 = 0xcd9e8d57;
const w0: u32 = 0x9e3779b9;
const w1: u32 = 0xbb67ae85;

const groupBytes: usize = 64;

/** 16 random words per group. The counter of a block is (its place, 0, stream, domain). */
export function bits(
  at: usize,
  groups: u32,
  key0: u32,
  key1: u32,
  first: u32,
  stream: u32,
  domain: u32,
): void {
  const f0 = i32x4.splat(m0);
  const f1 = i32x4.splat(m1);
  for (let group: u32 = 0; group < groups; group++, at += groupBytes) {
    let a = i32x4.add(i32x4.splat(first + group * 4), i32x4(0, 1, 2, 3));
    let b = i32x4.splat(0);
    let c = i32x4.splat(stream);
    let d = i32x4.splat(domain);
    let k0 = key0;
    let k1 = key1;
    for (let round = 0; round < 10; round++) {
      // Four products of 32 by 32 bits each: words 0, 2, 4, 6 are their low halves, 1, 3, 5, 7 the high ones.
      const c01 = i64x2.extmul_low_i32x4_u(c, f1);
      const c23 = i64x2.extmul_high_i32x4_u(c, f1);
      const a01 = i64x2.extmul_low_i32x4_u(a, f0);
      const a23 = i64x2.extmul_high_i32x4_u(a, f0);
      const highC = v128.shuffle<i32>(c01, c23, 1, 3, 5, 7);
      const highA = v128.shuffle<i32>(a01, a23, 1, 3, 5, 7);
      a = v128.xor(v128.xor(highC, b), i32x4.splat(k0));
      c = v128.xor(v128.xor(highA, d), i32x4.splat(k1));
      b = v128.shuffle<i32>(c01, c23, 0, 2, 4, 6);
      d = v128.shuffle<i32>(a01, a23, 0, 2, 4, 6);
      k0 += w0;
      k1 += w1;
    }
    v128.store(at, a);
    v128.store(at, b, 16);
    v128.store(at, c, 32);
    v128.store(at, d, 48);
  }
}

/** Words become low + range × u, u a multiple of 2⁻²⁴ in [0, 1), in float32. */
export function uniform(at: usize, groups: u32, low: f32, range: f32): void {
  const scale = f32x4.splat(1.0 / 16777216.0);
  const lows = f32x4.splat(low);
  const ranges = f32x4.splat(range);
  for (const end = at + <usize>groups * groupBytes; at < end; at += 16) {
    const u = f32x4.mul(f32x4.convert_i32x4_u(i32x4.shr_u(v128.load(at), 8)), scale);
    v128.store(at, f32x4.add(lows, f32x4.mul(ranges, u)));
  }
}

/** Words become `value` where their upper 24 bits are below the limit, else 0. */
export function mask(at: usize, groups: u32, limit: u32, value: f32): void {
  const limits = i32x4.splat(limit);
  const values = f32x4.splat(value);
  for (const end = at + <usize>groups * groupBytes; at < end; at += 16) {
    const kept = i32x4.lt_u(i32x4.shr_u(v128.load(at), 8), limits);
    v128.store(at, v128.and(values, kept));
  }
}

/** Words become mean + deviation × the normal quantile of their place in [from, from + share], rounded to float32. */
export function normal(
  at: usize,
  groups: u32,
  mean: f64,
  deviation: f64,
  from: f64,
  share: f64,
): void {
  for (const end = at + <usize>groups * groupBytes; at < end; at += 4) {
    const p = from + share * ((<f64>load<u32>(at) + 0.5) * (1.0 / 4294967296.0));
    store<f32>(at, <f32>(mean + deviation * quantile(p)));
  }
}
