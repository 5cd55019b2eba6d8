import { assert } from "@heddle/base";
import { type Memory, openInstance, reachBytes } from "../wasm.ts";

/** The function of `assembly/texts.ts`. */
interface Kernel {
  readonly memory: Memory;
  hashTexts(
    texts: number,
    ends: number,
    count: number,
    whole: number,
    prefixBytes: number,
    out: number,
  ): void;
}

/** Texts are staged in pieces, which stay in the cache; one that is longer is a piece by itself. */
const pieceBytesMax = 1 << 16;
const pieceTextsMax = 1 << 13;
/** Vectors are copied whole. */
const spareBytes = 16;

/** Opened by the first call of a thread; it holds nothing that matters between two calls. */
let opened: Kernel | undefined;

/**
 * For each text the XXH64 of `prefix` and the text.
 *
 * @param utf8 the texts, one behind the other.
 * @param ends where each ends, ascending, shape [texts].
 * @param out shape [texts or more].
 */
export function textIds(
  prefix: Uint8Array,
  utf8: Uint8Array,
  ends: Uint32Array,
  out: BigUint64Array,
): void {
  assert(out.length >= ends.length, "there is a place for each id");
  let from = 0;
  let start = 0;
  while (from < ends.length) {
    const to = pieceEnd(ends, from, start);
    hashPiece(prefix, utf8, ends.subarray(from, to), start, out.subarray(from, to));
    start = ends[to - 1] as number;
    from = to;
  }
}

/** Behind the last text of the piece that begins with text `from`, at byte `start`. */
function pieceEnd(ends: Uint32Array, from: number, start: number): number {
  const last = Math.min(ends.length, from + pieceTextsMax);
  let to = from + 1;
  while (to < last && (ends[to] as number) - start <= pieceBytesMax) to += 1;
  return to;
}

function hashPiece(
  prefix: Uint8Array,
  utf8: Uint8Array,
  ends: Uint32Array,
  start: number,
  out: BigUint64Array,
): void {
  const kernel = (opened ??= openInstance<Kernel>("texts"));
  const bytes = (ends.at(-1) as number) - start;
  const idsAt = 0;
  const endsAt = idsAt + pieceTextsMax * 8;
  const wholeAt = endsAt + pieceTextsMax * 4;
  const textsAt = wholeAt + prefix.length + bytes + spareBytes;
  reachBytes(kernel.memory, textsAt + bytes + spareBytes);
  const { buffer } = kernel.memory;
  new Uint8Array(buffer).set(prefix, wholeAt);
  new Uint8Array(buffer).set(utf8.subarray(start, start + bytes), textsAt);
  const ownEnds = new Uint32Array(buffer, endsAt, ends.length);
  for (let i = 0; i < ends.length; i++) ownEnds[i] = (ends[i] as number) - start;
  kernel.hashTexts(textsAt, endsAt, ends.length, wholeAt, prefix.length, idsAt);
  out.set(new BigUint64Array(buffer, idsAt, ends.length));
}
