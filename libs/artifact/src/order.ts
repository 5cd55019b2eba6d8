import { halvesOf } from "@heddle/kernels";
import type { TableHeader, TablePieces } from "./block-file.ts";
import { rowsOfPiece } from "./block-file.ts";
import { copyRow } from "./copy-row.ts";
import type { TableState } from "./parameter-file.ts";

const digits = 1 << 16;

/**
 * The positions of ids in ascending order of id: a radix sort by 16 bits at a time, so its time grows with their number alone.
 *
 * @returns shape [ids]; equal ids keep their order.
 */
function orderById(ids: BigUint64Array): Uint32Array {
  const halves = new Uint16Array(halvesOf(ids).buffer, ids.byteOffset, ids.length * 4);
  let order = new Uint32Array(ids.length).map((_, i) => i);
  let next = new Uint32Array(ids.length);
  const ends = new Uint32Array(digits + 1);
  for (let digit = 0; digit < 4; digit++) {
    ends.fill(0);
    for (let i = digit; i < halves.length; i += 4) {
      const after = (halves[i] as number) + 1;
      ends[after] = (ends[after] as number) + 1;
    }
    // All alike, as the upper bits of small ids are.
    if (ends.includes(ids.length, 1)) continue;
    for (let d = 1; d <= digits; d++) ends[d] = (ends[d] as number) + (ends[d - 1] as number);
    for (let i = 0; i < order.length; i++) {
      const from = order[i] as number;
      const key = halves[from * 4 + digit] as number;
      const to = ends[key] as number;
      next[to] = from;
      ends[key] = to + 1;
    }
    [order, next] = [next, order];
  }
  return order;
}

/**
 * Rows that came in pieces in any order, as pieces in ascending order of id. Beside what came it holds two numbers a row and
 * one piece.
 */
export function sortedPieces(
  table: Omit<TableHeader, "rows">,
  came: readonly TableState[],
): TablePieces {
  const { dimension, slotWidth, versions = false } = table;
  const rows = came.reduce((sum, { ids }) => sum + ids.length, 0);
  const ids = new BigUint64Array(rows);
  const pieceOf = new Uint32Array(rows);
  const starts: number[] = [];
  let at = 0;
  for (const [number, piece] of came.entries()) {
    starts.push(at);
    ids.set(piece.ids, at);
    pieceOf.fill(number, at, at + piece.ids.length);
    at += piece.ids.length;
  }
  const order = orderById(ids);
  const each = rowsOfPiece(table);
  return {
    ...table,
    rows,
    pieces: (function* () {
      for (let from = 0; from < rows; from += each) {
        const count = Math.min(each, rows - from);
        const out = {
          ids: new BigUint64Array(count),
          values: new Float32Array(count * dimension),
          slots: new Float32Array(count * slotWidth),
          dimension,
          ...(versions && { versions: new Uint32Array(count) }),
        };
        for (let i = 0; i < count; i++) {
          const position = order[from + i] as number;
          const number = pieceOf[position] as number;
          const piece = came[number] as TableState;
          const row = position - (starts[number] as number);
          out.ids[i] = ids[position] as bigint;
          copyRow(piece.values, row, out.values, i, dimension);
          copyRow(piece.slots, row, out.slots, i, slotWidth);
          if (out.versions) out.versions[i] = piece.versions?.[row] ?? 0;
        }
        yield out;
      }
    })(),
  };
}
