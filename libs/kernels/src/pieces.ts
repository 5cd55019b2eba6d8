/** A part of something that is taken piece by piece. */
export interface Piece {
  readonly from: number;
  readonly to: number;
}

/** `count` things in pieces of at most `size`. */
export function* pieces(count: number, size: number): Generator<Piece> {
  for (let from = 0; from < count; from += size) yield { from, to: Math.min(from + size, count) };
}
