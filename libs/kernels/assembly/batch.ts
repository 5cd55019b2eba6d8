// Batch operations of a learner, on rows anywhere in memory. The caller says where everything lies; nothing is kept.
import { copy } from "./copy";

export { packInt8, unpackInt8 } from "./int8";

/** out[i] = rows[index[i]]; a row has `bytes` bytes. */
export function gather(rows: usize, bytes: u32, index: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const from = rows + <usize>load<u32>(index + ((<usize>i) << 2)) * bytes;
    copy(from, out + <usize>i * bytes, bytes);
  }
}

/** sums[index[i]] += rows[i], in order. */
export function add(rows: usize, bytes: u32, index: usize, count: u32, sums: usize): void {
  const whole = bytes & ~15;
  for (let i: u32 = 0; i < count; i++) {
    const from = rows + <usize>i * bytes;
    const to = sums + <usize>load<u32>(index + ((<usize>i) << 2)) * bytes;
    let at: u32 = 0;
    for (; at < whole; at += 16) {
      v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(from + at)));
    }
    for (; at < bytes; at += 4) {
      store<f32>(to + at, load<f32>(to + at) + load<f32>(from + at));
    }
  }
}

/** Rows of `bytes` bytes, one behind the other, go to places `stride` bytes apart. */
export function spread(rows: usize, bytes: u32, count: u32, out: usize, stride: u32): void {
  for (let i: u32 = 0; i < count; i++)
    copy(rows + <usize>i * bytes, out + <usize>i * stride, bytes);
}

/** Row codes[i] of a table goes to place i: its first value to `firsts`, the `bytes` bytes behind it to `rests`. */
export function split(
  table: usize,
  bytes: u32,
  codes: usize,
  count: u32,
  firsts: usize,
  firstStride: u32,
  rests: usize,
  restStride: u32,
): void {
  const rowBytes = 4 + bytes;
  for (let i: u32 = 0; i < count; i++) {
    const row = table + <usize>load<u32>(codes + ((<usize>i) << 2)) * rowBytes;
    store<f32>(firsts + <usize>i * firstStride, load<f32>(row));
    copy(row + 4, rests + <usize>i * restStride, bytes);
  }
}
