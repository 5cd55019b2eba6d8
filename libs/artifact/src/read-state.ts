import { present } from "@heddle/base";
import type { FileHeader } from "./block-file.ts";
import type { SourceFile } from "./layers.ts";
import { mergeParameters } from "./merge.ts";
import type { DenseState, ParameterState, TableState } from "./parameter-file.ts";
import { type FilePiece, readFile } from "./read-file.ts";

/**
 * The files of one layer as one state in memory, rows ascending by id, whatever their number.
 *
 * @throws {HeddleError} DATA_LOSS BLOCK_CORRUPT, TENSOR_FILE_CORRUPT, PARTS_OVERLAP.
 */
export async function readState(files: readonly SourceFile[]): Promise<ParameterState> {
  const parts: ParameterState[] = [];
  for (const { name, chunks } of files) {
    let part: OpenPart | undefined;
    for await (const piece of readFile(chunks, name)) {
      if (piece.kind === "header") part = openPart(piece.header);
      else part?.take(piece);
    }
    parts.push(present(part, `the header of ${name}`).state);
  }
  return mergeParameters(parts);
}

interface OpenPart {
  readonly state: ParameterState;
  take(piece: Exclude<FilePiece, { kind: "header" }>): void;
}

function openPart({ tables, dense, clock }: FileHeader): OpenPart {
  const state: ParameterState = {
    ...(clock !== undefined && { clock }),
    tables: Object.fromEntries(
      tables.map(({ name, dimension, slotWidth, rows, versions }): [string, TableState] => [
        name,
        {
          ids: new BigUint64Array(rows),
          values: new Float32Array(rows * dimension),
          slots: new Float32Array(rows * slotWidth),
          dimension,
          ...(versions === true && { versions: new Uint32Array(rows) }),
        },
      ]),
    ),
    dense: Object.fromEntries(
      dense.map(({ name, values, slots }): [string, DenseState] => [
        name,
        { values: new Float32Array(values), slots: new Float32Array(slots) },
      ]),
    ),
  };
  const filled = new Map(tables.map(({ name }) => [name, 0]));
  return {
    state,
    take: (piece) => {
      if (piece.kind === "dense") {
        const { values, slots } = present(state.dense[piece.name], "a dense parameter");
        const intoValues = Math.max(0, values.length - piece.from);
        values.set(piece.data.subarray(0, intoValues), Math.min(piece.from, values.length));
        slots.set(piece.data.subarray(intoValues), Math.max(0, piece.from - values.length));
        return;
      }
      const table = present(state.tables[piece.table], "a table");
      const { ids, values, slots, dimension } = table;
      const at = filled.get(piece.table) ?? 0;
      const slotWidth =
        piece.rows.ids.length === 0 ? 0 : piece.rows.slots.length / piece.rows.ids.length;
      ids.set(piece.rows.ids, at);
      values.set(piece.rows.values, at * dimension);
      slots.set(piece.rows.slots, at * slotWidth);
      table.versions?.set(piece.rows.versions ?? [], at);
      filled.set(piece.table, at + piece.rows.ids.length);
    },
  };
}
