// Ids of texts: XXH64, with a seed of 0, of a prefix and a text behind it.
// @source Yann Collet, "XXH64 algorithm description", xxHash specification, version 0.1.1.

const prime1: u64 = 0x9e3779b185ebca87;
const prime2: u64 = 0xc2b2ae3d27d4eb4f;
const prime3: u64 = 0x165667b19e3779f9;
const prime4: u64 = 0x85ebca77c2b2ae63;
const prime5: u64 = 0x27d4eb2f165667c5;

/**
 * The ids of `count` texts, which lie one behind the other.
 *
 * @param ends for each where it ends, counted from the first one's start.
 * @param whole the prefix, of `prefixBytes`; each text is copied behind it in turn, and up to 15 bytes more.
 */
export function hashTexts(
  texts: usize,
  ends: usize,
  count: u32,
  whole: usize,
  prefixBytes: u32,
  out: usize,
): void {
  const behind = whole + prefixBytes;
  let start: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const end = load<u32>(ends + ((<usize>i) << 2));
    const bytes = end - start;
    for (let at: u32 = 0; at < bytes; at += 16) {
      v128.store(behind + at, v128.load(texts + start + at));
    }
    store<u64>(out + ((<usize>i) << 3), hash(whole, prefixBytes + bytes));
    start = end;
  }
}

function hash(from: usize, bytes: u32): u64 {
  const end = from + bytes;
  let at = from;
  let h: u64 = prime5;
  if (bytes >= 32) {
    let a: u64 = prime1 + prime2;
    let b: u64 = prime2;
    let c: u64 = 0;
    let d: u64 = 0 - prime1;
    for (; at + 32 <= end; at += 32) {
      a = round(a, load<u64>(at));
      b = round(b, load<u64>(at, 8));
      c = round(c, load<u64>(at, 16));
      d = round(d, load<u64>(at, 24));
    }
    h = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
    h = join(join(join(join(h, a), b), c), d);
  }
  h += bytes;
  for (; at + 8 <= end; at += 8) {
    h = rotl<u64>(h ^ round(0, load<u64>(at)), 27) * prime1 + prime4;
  }
  if (at + 4 <= end) {
    h = rotl<u64>(h ^ (<u64>load<u32>(at) * prime1), 23) * prime2 + prime3;
    at += 4;
  }
  for (; at < end; at++) h = rotl<u64>(h ^ (<u64>load<u8>(at) * prime5), 11) * prime1;
  h = (h ^ (h >> 33)) * prime2;
  h = (h ^ (h >> 29)) * prime3;
  return h ^ (h >> 32);
}

function round(sum: u64, lane: u64): u64 {
  return rotl<u64>(sum + lane * prime2, 31) * prime1;
}

function join(h: u64, sum: u64): u64 {
  return (h ^ round(0, sum)) * prime1 + prime4;
}
