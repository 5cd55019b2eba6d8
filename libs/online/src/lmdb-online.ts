import { setImmediate as nextTurn } from "node:timers/promises";
import { type LmdbEnvironment, openRecord, sealRecord } from "@heddle/store";
import type { OnlineRow, OnlineValues } from "./port.ts";
import { decodeRow, encodeRow, isNewer, keyOf, placeOf, rangeOf, type Row } from "./row.ts";

/** Rows of one write: more would hold the event loop for longer than a request may wait. */
const rowsAtOnceMax = 1_000;
/** Rows read in one turn of the event loop, some 5 ms of decoding. */
export const rowsPerTurn = 32;

/**
 * Online values on a shared LMDB environment: one record per (view, key) with its event time. A row
 * replaces one of an older event; of two rows of the same time the greater canonical JSON stays, so
 * that every order of arrival ends alike. To replace values of the same time, clear the view first.
 *
 * `put` throws INVALID_ARGUMENT ROW_INVALID, `get` DATA_LOSS RECORD_CORRUPT.
 */
export function openLmdbOnline(environment: LmdbEnvironment): OnlineValues {
  const rows = environment.database("online/rows");

  const putSome = async (view: string, some: readonly EncodedRow[]): Promise<void> => {
    const bytes = some.reduce((sum, { key, row }) => sum + key.length + row.body.length, 0);
    await environment.write(bytes, () => {
      for (const { name, key, row } of some) {
        const sealed = rows.getBinary(key);
        if (sealed !== undefined && !isNewer(row, opened(sealed, placeOf(view, name)))) continue;
        rows.putSync(key, sealRecord(row.eventTimeMs, row.body));
      }
    });
  };

  return {
    put: async (view, all) => {
      // All are encoded before the first is written: a bad row refuses them all.
      const encoded = all.map((row) => ({
        name: row.key,
        key: keyOf(view, row.key),
        row: encodeRow(view, row),
      }));
      const writes: Promise<void>[] = [];
      for (let at = 0; at < encoded.length; at += rowsAtOnceMax) {
        writes.push(putSome(view, encoded.slice(at, at + rowsAtOnceMax)));
      }
      await Promise.all(writes);
    },
    get: async (view, keys) => {
      const found: (OnlineRow | undefined)[] = [];
      for (const [i, key] of keys.entries()) {
        if (i % rowsPerTurn === 0) await nextTurn();
        const sealed = rows.getBinary(keyOf(view, key));
        found.push(sealed && decodeRow(key, opened(sealed, placeOf(view, key))));
      }
      return found;
    },
    clear: async (view) => {
      const range = rangeOf(view);
      for (let removed = rowsAtOnceMax; removed === rowsAtOnceMax;) {
        removed = await environment.write(0, () => {
          const keys = [...rows.getKeys({ ...range, limit: rowsAtOnceMax })];
          for (const key of keys) rows.removeSync(key);
          return keys.length;
        });
      }
    },
    catchUp: () => Promise.resolve(),
    lagMs: () => 0,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

interface EncodedRow {
  readonly name: string;
  readonly key: Buffer;
  readonly row: Row;
}

function opened(sealed: Buffer, place: string): Row {
  const { number, body } = openRecord(sealed, place);
  return { eventTimeMs: number, body };
}
