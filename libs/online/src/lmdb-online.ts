import { setImmediate as nextTurn } from "node:timers/promises";
import { canonicalJson, HeddleError, type Json, messageOf } from "@heddle/base";
import { type LmdbEnvironment, openRecord, sealRecord } from "@heddle/store";
import type { OnlineRow, OnlineValues } from "./port.ts";

const rowBytesMax = 64 << 10;
export const keyBytesMax = 1_024;
/** Rows of one write: more would hold the event loop for longer than a request may wait. */
const rowsAtOnceMax = 1_000;
/** Rows read in one turn of the event loop, some 5 ms of decoding. */
const rowsPerTurn = 32;
const viewPattern = /^[a-zA-Z0-9._/@-]{1,200}$/;

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
    const bytes = some.reduce((sum, { key, body }) => sum + key.length + body.length, 0);
    await environment.write(bytes, () => {
      for (const { row, key, body } of some) {
        const sealed = rows.getBinary(key);
        const known = sealed && openRecord(sealed, placeOf(view, row.key));
        if (known !== undefined && !isNewer(row.eventTimeMs, body, known.number, known.body))
          continue;
        rows.putSync(key, sealRecord(row.eventTimeMs, body));
      }
    });
  };

  return {
    put: async (view, all) => {
      // All are encoded before the first is written: a bad row refuses them all.
      const encoded = all.map((row) => ({
        row,
        key: keyOf(view, row.key),
        body: encode(view, row),
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
        found.push(sealed && decode(view, key, sealed));
      }
      return found;
    },
    clear: async (view) => {
      const start = viewStart(view);
      const end = Buffer.concat([start.subarray(0, -1), Buffer.from([1])]);
      for (let removed = rowsAtOnceMax; removed === rowsAtOnceMax;) {
        removed = await environment.write(0, () => {
          const keys = [...rows.getKeys({ start, end, limit: rowsAtOnceMax })];
          for (const key of keys) rows.removeSync(key);
          return keys.length;
        });
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

interface EncodedRow {
  readonly row: OnlineRow;
  readonly key: Buffer;
  readonly body: Buffer;
}

function isNewer(timeMs: number, body: Buffer, knownMs: number, knownBody: Buffer): boolean {
  return timeMs > knownMs || (timeMs === knownMs && Buffer.compare(body, knownBody) > 0);
}

/** A view's keys lie between its name with a zero and its name with a one. */
function viewStart(view: string): Buffer {
  if (!viewPattern.test(view)) {
    throw invalid(
      JSON.stringify(view.slice(0, 100)),
      "a view's name has 1 to 200 of a–z, A–Z, 0–9 and . _ / @ -",
    );
  }
  return Buffer.from(`${view}\0`);
}

function keyOf(view: string, key: string): Buffer {
  const bytes = Buffer.concat([viewStart(view), Buffer.from(key)]);
  if (key.length === 0 || bytes.length > keyBytesMax) {
    throw invalid(placeOf(view, key), `view and key together have 2 to ${keyBytesMax} bytes`);
  }
  return bytes;
}

function encode(view: string, row: OnlineRow): Buffer {
  const place = placeOf(view, row.key);
  if (!Number.isFinite(row.eventTimeMs))
    throw invalid(place, "its event time is a number of milliseconds");
  let body: Buffer;
  try {
    body = Buffer.from(canonicalJson(row.values));
  } catch (error) {
    throw invalid(place, `its values are plain JSON with finite numbers (${messageOf(error)})`);
  }
  if (body.length > rowBytesMax) throw invalid(place, `it has at most ${rowBytesMax} bytes`);
  return body;
}

function decode(view: string, key: string, sealed: Buffer): OnlineRow {
  const { number, body } = openRecord(sealed, placeOf(view, key));
  const values = JSON.parse(body.toString()) as Record<string, Json>;
  return { key, eventTimeMs: number, values };
}

function placeOf(view: string, key: string): string {
  return `online row ${key.slice(0, 100)} of view ${view}`;
}

function invalid(place: string, rule: string): HeddleError {
  return new HeddleError("INVALID_ARGUMENT", "ROW_INVALID", `${place} is refused: ${rule}`);
}
