import { bytesOf } from "@heddle/tensor";

/**
 * Bytes of values of one size, all first bytes first, then all second ones, and so on: signs and exponents of neighbours
 * resemble each other, their mantissas do not, so what can be compressed lies together.
 *
 * @param width bytes of a value.
 */
export function toPlanes(values: ArrayBufferView, width: number, out: Uint8Array): void {
  const from = bytesOf(values);
  const count = from.length / width;
  for (let plane = 0; plane < width; plane++) {
    let at = plane * count;
    for (let i = plane; i < from.length; i += width) out[at++] = from[i] as number;
  }
}

/** The way back of `toPlanes`. */
export function fromPlanes(planes: Uint8Array, width: number, out: ArrayBufferView): void {
  const to = bytesOf(out);
  const count = to.length / width;
  if (width === 4) return fromFourPlanes(planes, count, to);
  for (let plane = 0; plane < width; plane++) {
    let at = plane * count;
    for (let i = plane; i < to.length; i += width) to[i] = planes[at++] as number;
  }
}

/** Nearly all of a file: one write for four reads. */
function fromFourPlanes(planes: Uint8Array, count: number, to: Uint8Array): void {
  const words = new Uint32Array(to.buffer, to.byteOffset, count);
  const [second, third, fourth] = [count, 2 * count, 3 * count];
  for (let i = 0; i < count; i++) {
    words[i] =
      (planes[i] as number) |
      ((planes[second + i] as number) << 8) |
      ((planes[third + i] as number) << 16) |
      ((planes[fourth + i] as number) << 24);
  }
}

/** Each id as its distance from the one before: of ascending ids the upper bytes are mostly zero then. */
export function toDistances(ids: BigUint64Array): BigUint64Array {
  const out = new BigUint64Array(ids.length);
  let before = 0n;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as bigint;
    out[i] = id - before;
    before = id;
  }
  return out;
}

/** The way back of `toDistances`, in place; sums wrap at 64 bits. */
export function fromDistances(ids: BigUint64Array): void {
  for (let i = 1; i < ids.length; i++) ids[i] = (ids[i - 1] as bigint) + (ids[i] as bigint);
}
