// Values in planes: all first bytes, then all second ones, and so on. Numbers are little-endian on both sides.

/** Of 4 planes of `count` bytes each, one behind the other, words of 4 bytes. */
export function joinWords(planes: usize, count: u32, out: usize): void {
  const second = planes + count;
  const third = second + count;
  const fourth = third + count;
  const whole = count & ~15;
  let i: u32 = 0;
  for (; i < whole; i += 16) {
    const a = v128.load(planes + i);
    const b = v128.load(second + i);
    const c = v128.load(third + i);
    const d = v128.load(fourth + i);
    const to = out + ((<usize>i) << 2);
    joinHalves(lowBytes(a, b), lowBytes(c, d), to);
    joinHalves(highBytes(a, b), highBytes(c, d), to + 32);
  }
  for (; i < count; i++) {
    const to = out + ((<usize>i) << 2);
    store<u8>(to, load<u8>(planes + i));
    store<u8>(to, load<u8>(second + i), 1);
    store<u8>(to, load<u8>(third + i), 2);
    store<u8>(to, load<u8>(fourth + i), 3);
  }
}

/** The way back of `joinWords`. */
export function splitWords(words: usize, count: u32, out: usize): void {
  const second = out + count;
  const third = second + count;
  const fourth = third + count;
  const whole = count & ~15;
  let i: u32 = 0;
  for (; i < whole; i += 16) {
    const from = words + ((<usize>i) << 2);
    const first8 = v128.load(from);
    const first8End = v128.load(from, 16);
    const last8 = v128.load(from, 32);
    const last8End = v128.load(from, 48);
    const abFirst = lowPlanes(first8, first8End);
    const abLast = lowPlanes(last8, last8End);
    const cdFirst = highPlanes(first8, first8End);
    const cdLast = highPlanes(last8, last8End);
    v128.store(out + i, v128.shuffle<i64>(abFirst, abLast, 0, 2));
    v128.store(second + i, v128.shuffle<i64>(abFirst, abLast, 1, 3));
    v128.store(third + i, v128.shuffle<i64>(cdFirst, cdLast, 0, 2));
    v128.store(fourth + i, v128.shuffle<i64>(cdFirst, cdLast, 1, 3));
  }
  for (; i < count; i++) {
    const from = words + ((<usize>i) << 2);
    store<u8>(out + i, load<u8>(from));
    store<u8>(second + i, load<u8>(from, 1));
    store<u8>(third + i, load<u8>(from, 2));
    store<u8>(fourth + i, load<u8>(from, 3));
  }
}

/** Of 8 planes of distances, each id the sum of those up to it, which wraps. True when the ids ascend without repetition. */
export function joinIds(planes: usize, count: u32, out: usize): bool {
  let id: u64 = 0;
  let ascending = true;
  for (let i: u32 = 0; i < count; i++) {
    const before = id;
    let from = planes + i;
    let distance: u64 = 0;
    for (let shift: u64 = 0; shift < 64; shift += 8) {
      distance |= (<u64>load<u8>(from)) << shift;
      from += count;
    }
    id += distance;
    if (i > 0 && id <= before) ascending = false;
    store<u64>(out + ((<usize>i) << 3), id);
  }
  return ascending;
}

/** The way back of `joinIds`, of ids in any order. */
export function splitIds(ids: usize, count: u32, out: usize): void {
  let before: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u64>(ids + ((<usize>i) << 3));
    let distance = id - before;
    before = id;
    let to = out + i;
    for (let plane = 0; plane < 8; plane++) {
      store<u8>(to, <u8>distance);
      distance >>= 8;
      to += count;
    }
  }
}

/** Pairs of bytes of 8 words: the first and second of each, the third and fourth. They come together. */
function joinHalves(ab: v128, cd: v128, out: usize): void {
  v128.store(out, v128.shuffle<i16>(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11));
  v128.store(out, v128.shuffle<i16>(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15), 16);
}

/** Bytes of two planes by turns, those of the first 8 places. */
function lowBytes(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/** Those of the last 8 places. */
function highBytes(a: v128, b: v128): v128 {
  return v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** Of 8 words all first bytes, then all second ones. */
function lowPlanes(words: v128, more: v128): v128 {
  return v128.shuffle<i8>(words, more, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
}

/** Of 8 words all third bytes, then all fourth ones. */
function highPlanes(words: v128, more: v128): v128 {
  return v128.shuffle<i8>(words, more, 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
}
