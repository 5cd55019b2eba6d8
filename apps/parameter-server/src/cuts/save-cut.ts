import { setImmediate as nextTurn } from "node:timers/promises";
import type { FilePart } from "@heddle/artifact";
import type { ObjectInfo, Objects } from "@heddle/objects";
import type { Encoder } from "./encoder.ts";
import type { FrozenShard } from "./frozen.ts";

export interface CutDeps {
  readonly objects: Objects;
  /** Makes the files. */
  readonly encoder: Encoder;
  /** Above 0 for a process that took a lost shard's place: its files have names of their own, for the lost one may still write. */
  readonly life?: number;
}

/** A cut's file. */
export interface SavedCut {
  readonly info: ObjectInfo;
  readonly rows: number;
}

/** Rows handed to the encoder before calls get their turn: about a millisecond. */
const sliceBytes = 1 << 20;

/**
 * Writes a cut while steps go on: rows are copied slice by slice and go to another thread, which makes the file of them. So
 * the memory that it takes, beside the table, is that of the cut's rows once, and a few blocks.
 *
 * @throws the reason of `stop`, when the cut is given up.
 */
export async function saveCut(
  { objects, encoder, life = 0 }: CutDeps,
  { frozen, stop: { signal } }: { readonly frozen: FrozenShard; readonly stop: AbortController },
  { shard, shards }: FilePart,
  prefix: string,
): Promise<SavedCut> {
  signal.throwIfAborted();
  const tables = frozen.tables.map(({ view: _view, ...table }) => table);
  encoder.begin(tables);
  for (const { name, dimension, versions: kept, view } of frozen.tables) {
    for (let rows = view.next(sliceBytes); rows !== undefined; rows = view.next(sliceBytes)) {
      const { versions, ...unversioned } = rows;
      const saved = kept === true && versions ? { versions } : {};
      encoder.add(name, { ...unversioned, ...saved, dimension });
      await nextTurn();
      signal.throwIfAborted();
    }
  }
  // All is copied: pushes need copy nothing for it any more.
  frozen.release();
  const part = { shard, shards, ...(frozen.clock !== undefined && { clock: frozen.clock }) };
  const { rows, pieces } = await encoder.encode(part, tables, frozen.dense);
  const place = `shard-${shard}-of-${shards}${life === 0 ? "" : `-life-${life}`}`;
  const name = `${prefix}/${place}.tensors`;
  return { info: await objects.putStream(name, until(pieces, signal)), rows };
}

async function* until<T>(all: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  for await (const one of all) {
    signal.throwIfAborted();
    yield one;
  }
}
