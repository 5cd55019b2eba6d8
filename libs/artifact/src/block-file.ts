import { assert } from "@heddle/base";
import { splitIds, splitWords } from "@heddle/kernels";
import { bytesOf } from "@heddle/tensor";
import { blockKinds, blockMagic, encodeBlock } from "./frame.ts";
import type { DenseState, ParameterState, TableState } from "./parameter-file.ts";

/** Which rows a file holds. */
export interface FilePart {
  /** The shard that wrote it, of how many; 0 of 0 when the file does not say. */
  readonly shard: number;
  readonly shards: number;
  /** As that of `ParameterState`. */
  readonly clock?: number;
}

/** The first block: what follows, so that a reader can make room and see that all of it came. */
export interface FileHeader extends FilePart {
  readonly tables: readonly TableHeader[];
  readonly dense: readonly DenseHeader[];
}

export interface TableHeader {
  readonly name: string;
  readonly dimension: number;
  /** Optimiser slots of a row. */
  readonly slotWidth: number;
  readonly rows: number;
  /** Rows have their versions, because they expire. */
  readonly versions?: boolean;
}

export interface DenseHeader {
  readonly name: string;
  readonly values: number;
  readonly slots: number;
}

/** Rows of a table in pieces, ascending by id over all of them. */
export interface TablePieces extends TableHeader {
  readonly pieces: Iterable<TableState>;
}

/** Unpacked; a piece of this size is compressed as well as a larger one, and read without holding much. */
const pieceBytes = 1 << 20;

/** Rows of a piece: as many as `pieceBytes` hold. */
export function rowsOfPiece({
  dimension,
  slotWidth,
  versions = false,
}: Pick<TableHeader, "dimension" | "slotWidth" | "versions">): number {
  const numbers = dimension + slotWidth + Number(versions);
  return Math.max(1, Math.floor(pieceBytes / (8 + 4 * numbers)));
}

/**
 * Parameters as a file of checked, compressed blocks, made piece by piece: header, rows by table, dense parameters, end. Equal
 * states give equal bytes on one release of Node.
 */
export function* encodeFile(
  part: FilePart,
  tables: readonly TablePieces[],
  dense: Readonly<Record<string, DenseState>>,
): Generator<Uint8Array, undefined> {
  let number = 0;
  const names = Object.keys(dense).sort();
  const ordered = [...tables].sort((a, b) => (a.name < b.name ? -1 : 1));
  const header: FileHeader = {
    shard: part.shard,
    shards: part.shards,
    ...(part.clock !== undefined && { clock: part.clock }),
    tables: ordered.map(headerOf),
    dense: names.map((name) => {
      const { values, slots } = dense[name] as DenseState;
      return { name, values: values.length, slots: slots.length };
    }),
  };
  yield blockMagic;
  yield encodeBlock(blockKinds.header, number++, json(header));
  for (const [index, { pieces }] of ordered.entries()) {
    for (const piece of pieces)
      yield encodeBlock(blockKinds.rows, number++, packRows(index, piece));
  }
  for (const [index, name] of names.entries()) {
    for (const bytes of packDense(index, dense[name] as DenseState)) {
      yield encodeBlock(blockKinds.dense, number++, bytes);
    }
  }
  yield encodeBlock(blockKinds.end, number, new Uint8Array());
}

/** What a file's first block says of a table, in this order of fields. */
export function headerOf({ name, dimension, slotWidth, rows, versions }: TableHeader): TableHeader {
  return { name, dimension, slotWidth, rows, ...(versions === true && { versions }) };
}

/** A state that is in memory whole, rows ascending by id, in pieces. */
export function tablePieces({ tables }: Pick<ParameterState, "tables">): TablePieces[] {
  return Object.entries(tables).map(([name, table]) => {
    const { dimension, ids } = table;
    const slotWidth = ids.length === 0 ? 0 : table.slots.length / ids.length;
    const versions = table.versions !== undefined;
    const header = { name, dimension, slotWidth, rows: ids.length, ...(versions && { versions }) };
    return { ...header, pieces: piecesOf(table, slotWidth, rowsOfPiece(header)) };
  });
}

function* piecesOf(
  { ids, values, slots, versions, dimension }: TableState,
  slotWidth: number,
  rows: number,
): Generator<TableState> {
  for (let from = 0; from < ids.length; from += rows) {
    const to = Math.min(from + rows, ids.length);
    yield {
      ids: ids.subarray(from, to),
      values: values.subarray(from * dimension, to * dimension),
      slots: slots.subarray(from * slotWidth, to * slotWidth),
      dimension,
      ...(versions && { versions: versions.subarray(from, to) }),
    };
  }
}

/** Number of the table, number of rows, then ids, values and slots in planes, and versions where rows have them. */
function packRows(table: number, rows: TableState): Uint8Array {
  const { ids, values, slots, versions = new Uint32Array() } = rows;
  const bytes = ids.byteLength + values.byteLength + slots.byteLength + versions.byteLength;
  const out = new Uint8Array(8 + bytes);
  new DataView(out.buffer).setUint32(0, table, true);
  new DataView(out.buffer).setUint32(4, ids.length, true);
  const valuesAt = 8 + ids.byteLength;
  const slotsAt = valuesAt + values.byteLength;
  splitIds(ids, out.subarray(8, valuesAt));
  splitWords(values, out.subarray(valuesAt, slotsAt));
  const versionsAt = slotsAt + slots.byteLength;
  splitWords(slots, out.subarray(slotsAt, versionsAt));
  splitWords(versions, out.subarray(versionsAt));
  return out;
}

/** Number of the parameter, where in its values and slots (one after the other) the piece begins, then floats in planes. */
function* packDense(index: number, { values, slots }: DenseState): Generator<Uint8Array> {
  const all = new Float32Array(values.length + slots.length);
  all.set(values);
  all.set(slots, values.length);
  const each = pieceBytes / 4;
  for (let from = 0; from < all.length; from += each) {
    const piece = all.subarray(from, from + each);
    const out = new Uint8Array(8 + piece.byteLength);
    assert(from <= 0xffffffff, "a dense parameter has at most 2³² values and slots");
    new DataView(out.buffer).setUint32(0, index, true);
    new DataView(out.buffer).setUint32(4, from, true);
    splitWords(piece, out.subarray(8));
    yield out;
  }
}

const json = (value: FileHeader): Uint8Array => bytesOf(Buffer.from(JSON.stringify(value)));
