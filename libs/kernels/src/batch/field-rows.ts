import { type Memory, openInstance, reachBytes } from "../wasm.ts";

/** The functions of `assembly/batch.ts` that it uses. */
interface Kernel {
  readonly memory: Memory;
  spread(rows: number, bytes: number, count: number, out: number, stride: number): void;
  split(
    table: number,
    bytes: number,
    codes: number,
    count: number,
    firsts: number,
    firstStride: number,
    rests: number,
    restStride: number,
  ): void;
}

/** How many values an example has. */
export interface FieldWidths {
  readonly numeric: number;
  /** Embedding inputs. */
  readonly fields: number;
  /** Values of an embedding; a row has one more in front, the wide weight. */
  readonly dimension: number;
}

/** An embedding input of some examples: example i has row `codes[i]` of the table at `place`. */
export interface FieldCodes {
  readonly place: number;
  /** shape [examples], each below the table's rows. */
  readonly codes: Int32Array;
}

/** What a network's first layers read, put together from tables of embedding rows. */
export interface FieldRows {
  /** Takes a copy of a table, shape [rows, 1 + dimension], until `forget`. @returns its place. */
  keep(table: Float32Array): number;
  /** As `keep`, until the next call of `keep` or `gather`; calls follow one another. */
  lend(table: Float32Array): number;
  forget(): void;
  readonly keptBytes: number;
  /**
   * Writes examples side by side.
   *
   * @param numeric shape [examples, numeric].
   * @param joined shape [examples, numeric + fields × dimension]: numbers, then embeddings.
   * @param wide shape [examples, fields].
   */
  gather(
    numeric: Float32Array,
    fields: readonly FieldCodes[],
    joined: Float32Array,
    wide: Float32Array,
  ): void;
}

/** Examples are put together in pieces of this size, which stay in the cache. */
const pieceValuesMax = 8_192;

/** Tables lie in a WebAssembly memory of its own. */
export function openFieldRows({
  numeric: numbers,
  fields: count,
  dimension,
}: FieldWidths): FieldRows {
  const kernel = openInstance<Kernel>("batch");
  const stride = numbers + count * dimension;
  const pieceRows = Math.max(1, Math.floor(pieceValuesMax / Math.max(stride, 1)));
  // [codes of a field][numbers][joined][wide][tables]
  const numbersAt = 4 * pieceRows;
  const joinedAt = numbersAt + 4 * pieceRows * numbers;
  const wideAt = joinedAt + 4 * pieceRows * stride;
  const tablesAt = wideAt + 4 * pieceRows * count;
  let keptTo = tablesAt;
  let lentTo = tablesAt;

  const reach = (bytes: number): void => {
    reachBytes(kernel.memory, bytes);
  };
  const put = (table: Float32Array, at: number): number => {
    const end = at + table.byteLength;
    reach(end);
    new Float32Array(kernel.memory.buffer, at, table.length).set(table);
    lentTo = end;
    return at;
  };
  reach(tablesAt);
  return {
    keep: (table) => {
      const place = put(table, keptTo);
      keptTo = lentTo;
      return place;
    },
    lend: (table) => put(table, lentTo),
    forget: () => {
      keptTo = tablesAt;
      lentTo = tablesAt;
    },
    get keptBytes() {
      return keptTo - tablesAt;
    },
    gather: (numeric, fields, joined, wide) => {
      const { buffer } = kernel.memory;
      const codesIn = new Int32Array(buffer, 0, pieceRows);
      const numbersIn = new Float32Array(buffer, numbersAt, pieceRows * numbers);
      const joinedOut = new Float32Array(buffer, joinedAt, pieceRows * stride);
      const wideOut = new Float32Array(buffer, wideAt, pieceRows * count);
      const rows = joined.length / stride;
      for (let from = 0; from < rows; from += pieceRows) {
        const to = Math.min(from + pieceRows, rows);
        numbersIn.set(numeric.subarray(from * numbers, to * numbers));
        kernel.spread(numbersAt, 4 * numbers, to - from, joinedAt, 4 * stride);
        fields.forEach(({ place, codes }, f) => {
          codesIn.set(codes.subarray(from, to));
          const column = joinedAt + 4 * (numbers + f * dimension);
          const bytes = 4 * dimension;
          kernel.split(place, bytes, 0, to - from, wideAt + 4 * f, 4 * count, column, 4 * stride);
        });
        joined.set(joinedOut.subarray(0, (to - from) * stride), from * stride);
        wide.set(wideOut.subarray(0, (to - from) * count), from * count);
      }
      lentTo = keptTo;
    },
  };
}
