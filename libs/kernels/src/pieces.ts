/** A part of something that is taken piece by piece. */
export interface Piece {
  readonly from: number;
  readonly to: number;
}

/** 32 KiB of values, the size of a first-level cache; for narrow rows no more ids than that. */
const stagedValuesMax = 8_192;
const stagedRowsMax = 2_048;

/** Rows of a dimension that a kernel takes at a time. */
export const stagedRowsOf = (dimension: number): number =>
  Math.max(1, Math.min(stagedRowsMax, Math.floor(stagedValuesMax / dimension)));

/** `count` things in pieces of at most `size`. */
export function* pieces(count: number, size: number): Generator<Piece> {
  for (let from = 0; from < count; from += size) yield { from, to: Math.min(from + size, count) };
}
