import { joinWords } from "@heddle/kernels";
import type { DenseHeader, FileHeader } from "./block-file.ts";
import { headerOf, tablePieces } from "./block-file.ts";
import { type ByteSource, byteSource } from "./byte-source.ts";
import { type Block, blockKinds, blockMagic, corrupt, readBlocks } from "./frame.ts";
import { decodeParameters, type TableState } from "./parameter-file.ts";
import { openUnpacking } from "./unpack-rows.ts";

/** What a reader meets: the header first, then rows and dense parameters in pieces. */
export type FilePiece =
  | { readonly kind: "header"; readonly header: FileHeader }
  /** Their memory is that of the next rows, too: copy what is kept. */
  | { readonly kind: "rows"; readonly table: string; readonly rows: TableState }
  | {
      readonly kind: "dense";
      readonly name: string;
      /** Where `data` begins in the parameter's values and, behind them, slots. */
      readonly from: number;
      readonly data: Float32Array;
    };

/**
 * Reads a file of parameters piece by piece, each checked before it is handed on, holding a block or two. A file that an earlier
 * release wrote in one piece (`encodeParameters`), or the last of a run, is read too, then whole.
 *
 * @param what the object, for messages.
 * @throws {HeddleError} DATA_LOSS BLOCK_CORRUPT naming object and block, TENSOR_FILE_CORRUPT: forget what was read before.
 */
export async function* readFile(
  chunks: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<FilePiece> {
  const source = byteSource(chunks);
  try {
    const magic = Uint8Array.from(await source.take(blockMagic.length));
    const inBlocks = blockMagic.every((byte, i) => magic[i] === byte);
    yield* inBlocks ? blockFile(source, what) : wholeFile(magic, source);
  } finally {
    await source.close();
  }
}

async function* blockFile(source: ByteSource, what: string): AsyncGenerator<FilePiece> {
  let progress: Progress | undefined;
  let ended = false;
  let number = 0;
  for await (const block of readBlocks(source, what)) {
    number = block.number;
    if (ended) throw corrupt(what, number, "it comes after the end");
    if (progress === undefined) {
      const header = readHeader(block, what);
      progress = startProgress(header, what);
      yield { kind: "header", header };
    } else if (block.kind === blockKinds.end) ended = true;
    else yield progress.take(block);
    // All that was handed on was copied from it.
    block.free();
  }
  if (!ended || progress?.complete() !== true)
    throw corrupt(what, number, "the file ends after it");
}

interface Progress {
  take(block: Block): FilePiece;
  /** True when all came that the header named. */
  complete(): boolean;
}

function startProgress(header: FileHeader, what: string): Progress {
  const rowsLeft = header.tables.map(({ rows }) => rows);
  const denseLeft = header.dense.map(({ values, slots }) => values + slots);
  const lastIds = header.tables.map(() => -1n);
  const unpackRows = openUnpacking();
  return {
    take: ({ kind, number, bytes }) => {
      if (bytes.length < 8) throw corrupt(what, number, "it is too short");
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const [index, second] = [view.getUint32(0, true), view.getUint32(4, true)];
      const body = bytes.subarray(8);
      const [table, dense] = [header.tables[index], header.dense[index]];
      if (kind === blockKinds.rows && table !== undefined) {
        const rows = unpackRows(body, second, table);
        rowsLeft[index] = (rowsLeft[index] as number) - second;
        const fit = rows !== undefined && rowsLeft[index] >= 0;
        if (!fit || (rows.ids[0] ?? 0n) <= (lastIds[index] as bigint)) {
          throw corrupt(
            what,
            number,
            `its rows of table ${table.name} are not as they were written`,
          );
        }
        lastIds[index] = rows.ids.at(-1) ?? -1n;
        return { kind: "rows", table: table.name, rows };
      }
      if (kind === blockKinds.dense && dense !== undefined && fits(dense, second, body)) {
        const data = new Float32Array(body.length / 4);
        joinWords(body, data);
        denseLeft[index] = (denseLeft[index] as number) - data.length;
        return { kind: "dense", name: dense.name, from: second, data };
      }
      throw corrupt(what, number, "it is of nothing that the header names");
    },
    complete: () => [...rowsLeft, ...denseLeft].every((left) => left === 0),
  };
}

function readHeader({ kind, number, bytes }: Block, what: string): FileHeader {
  if (kind !== blockKinds.header) throw corrupt(what, number, "it is no header");
  // Its checksum held, so it is what this or another release wrote.
  return JSON.parse(new TextDecoder().decode(bytes)) as FileHeader;
}

const fits = ({ values, slots }: DenseHeader, from: number, body: Uint8Array): boolean =>
  body.length % 4 === 0 && from + body.length / 4 <= values + slots;

/** A file of the earlier form, which has one checksum at its beginning. */
async function* wholeFile(first: Uint8Array, source: ByteSource): AsyncGenerator<FilePiece> {
  const parts: Uint8Array[] = [first];
  for (;;) {
    const part = await source.take(1 << 20);
    if (part.length === 0) break;
    parts.push(Uint8Array.from(part));
  }
  const { tables, dense, clock } = await decodeParameters(new Uint8Array(Buffer.concat(parts)));
  const pieces = tablePieces({ tables });
  yield {
    kind: "header",
    header: {
      shard: 0,
      shards: 0,
      ...(clock !== undefined && { clock }),
      tables: pieces.map(headerOf),
      dense: Object.entries(dense).map(([name, { values, slots }]) => ({
        name,
        values: values.length,
        slots: slots.length,
      })),
    },
  };
  for (const { name, pieces: each } of pieces) {
    for (const rows of each) yield { kind: "rows", table: name, rows };
  }
  for (const [name, { values, slots }] of Object.entries(dense)) {
    yield { kind: "dense", name, from: 0, data: values };
    yield { kind: "dense", name, from: values.length, data: slots };
  }
}
