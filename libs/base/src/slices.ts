import { setImmediate as nextTurn } from "node:timers/promises";

/** Bytes in slices, each in a turn of its own: who shares the thread, as requests of a server do, waits for none longer than for one of them. */
export async function* slicesInTurns(
  bytes: Uint8Array,
  sliceBytes: number,
): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.byteLength; from += sliceBytes) {
    if (from > 0) await nextTurn();
    yield bytes.subarray(from, from + sliceBytes);
  }
}
