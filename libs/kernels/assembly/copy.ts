/** Copies bytes, a multiple of 4: rows are too short for memory.copy to be worth its call. */
export function copy(from: usize, to: usize, bytes: u32): void {
  const whole = bytes & ~15;
  let at: u32 = 0;
  for (; at < whole; at += 16) v128.store(to + at, v128.load(from + at));
  for (; at < bytes; at += 4) store<f32>(to + at, load<f32>(from + at));
}

/** Copies a row of a table: as `copy`, with one branch for each cache line, which wide rows gain by and narrow ones lose. */
export function copyWide(from: usize, to: usize, bytes: u32): void {
  const lines = bytes & ~63;
  for (let at: u32 = 0; at < lines; at += 64) {
    const first = v128.load(from + at);
    const second = v128.load(from + at, 16);
    const third = v128.load(from + at, 32);
    const fourth = v128.load(from + at, 48);
    v128.store(to + at, first);
    v128.store(to + at, second, 16);
    v128.store(to + at, third, 32);
    v128.store(to + at, fourth, 48);
  }
  copy(from + lines, to + lines, bytes - lines);
}
