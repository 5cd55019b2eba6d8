/** Copies bytes, a multiple of 4: rows are too short for memory.copy to be worth its call. */
export function copy(from: usize, to: usize, bytes: u32): void {
  const whole = bytes & ~15;
  let at: u32 = 0;
  for (; at < whole; at += 16) v128.store(to + at, v128.load(from + at));
  for (; at < bytes; at += 4) store<f32>(to + at, load<f32>(from + at));
}
