import type { FileHeader } from "./block-file.ts";
import { partsOverlap } from "./merge.ts";
import type { TableState } from "./parameter-file.ts";
import { type FilePiece, readFile } from "./read-file.ts";

/** A file to read: its name, for messages, and its bytes as they come. */
export interface SourceFile {
  readonly name: string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Who takes what a snapshot's files hold. */
export interface Target {
  /**
   * What a file holds, before any of it.
   *
   * @param base as that of `rows`.
   * @throws {HeddleError} FAILED_PRECONDITION SNAPSHOT_DIFFERS when it cannot take such a file.
   */
  header(header: FileHeader, base: boolean): void;
  /**
   * Replaces the rows of these ids, and adds those it has not. They stand until it returns.
   *
   * @param base whether they are of the first layer, where it has none of them.
   */
  rows(table: string, rows: TableState, base: boolean): void;
  dense(name: string, from: number, data: Float32Array): void;
}

/**
 * Reads a snapshot into a target, layer by layer, oldest first: each layer's files hold what changed since the layer
 * before, one file for each shard there was then.
 *
 * @throws {HeddleError} DATA_LOSS BLOCK_CORRUPT, TENSOR_FILE_CORRUPT; PARTS_OVERLAP when a layer's files are not those of one
 *   set of shards. The target then holds some of it.
 */
export async function readLayers(
  layers: readonly (readonly SourceFile[])[],
  target: Target,
): Promise<void> {
  for (const [layer, files] of layers.entries()) {
    const seen: FileHeader[] = [];
    for (const { name, chunks } of files) {
      for await (const piece of readFile(chunks, name)) {
        if (piece.kind === "header") {
          seen.push(piece.header);
          checkParts(seen, files.length, name);
        }
        hand(piece, target, layer === 0);
      }
    }
  }
}

function hand(piece: FilePiece, target: Target, base: boolean): void {
  switch (piece.kind) {
    case "header":
      return target.header(piece.header, base);
    case "rows":
      return target.rows(piece.table, piece.rows, base);
    case "dense":
      return target.dense(piece.name, piece.from, piece.data);
  }
}

/** Files say which shard of how many wrote them; those of earlier releases do not. */
function checkParts(seen: readonly FileHeader[], files: number, name: string): void {
  const last = seen.at(-1);
  if (last === undefined || last.shards === 0) return;
  const twice = seen.filter(({ shard }) => shard === last.shard).length > 1;
  if (last.shards === files && !twice) return;
  throw partsOverlap(
    `${name} is of shard ${last.shard} of ${last.shards}, which does not fit the ${files} files named beside it`,
  );
}
