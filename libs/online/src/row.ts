import { canonicalJson, HeddleError, type Json, messageOf } from "@heddle/base";
import type { OnlineRow } from "./port.ts";

export const rowBytesMax = 64 << 10;
export const keyBytesMax = 1_024;
const viewPattern = /^[a-zA-Z0-9._/@-]{1,200}$/;

/** A row as it is kept: its event time, and its values as canonical JSON. */
export interface Row {
  readonly eventTimeMs: number;
  readonly body: Buffer;
}

/** A row replaces one of an older event; of two rows of the same time the greater canonical JSON stays. */
export function isNewer(row: Row, known: Row): boolean {
  if (row.eventTimeMs !== known.eventTimeMs) return row.eventTimeMs > known.eventTimeMs;
  return Buffer.compare(row.body, known.body) > 0;
}

/** A view's keys lie between its name with a zero and its name with a one. */
export function rangeOf(view: string): { readonly start: Buffer; readonly end: Buffer } {
  if (!viewPattern.test(view)) {
    throw invalid(
      JSON.stringify(view.slice(0, 100)),
      "a view's name has 1 to 200 of a–z, A–Z, 0–9 and . _ / @ -",
    );
  }
  return { start: Buffer.from(`${view}\0`), end: Buffer.from(`${view}\u0001`) };
}

/** @throws {HeddleError} INVALID_ARGUMENT ROW_INVALID. */
export function keyOf(view: string, key: string): Buffer {
  const bytes = Buffer.concat([rangeOf(view).start, Buffer.from(key)]);
  if (key.length === 0 || bytes.length > keyBytesMax) {
    throw invalid(placeOf(view, key), `view and key together have 2 to ${keyBytesMax} bytes`);
  }
  return bytes;
}

/** @throws {HeddleError} INVALID_ARGUMENT ROW_INVALID when JSON cannot carry it, or it is too large. */
export function encodeRow(view: string, { key, eventTimeMs, values }: OnlineRow): Row {
  const place = placeOf(view, key);
  if (!Number.isFinite(eventTimeMs))
    throw invalid(place, "its event time is a number of milliseconds");
  let body: Buffer;
  try {
    body = Buffer.from(canonicalJson(values));
  } catch (error) {
    throw invalid(place, `its values are plain JSON with finite numbers (${messageOf(error)})`);
  }
  if (body.length > rowBytesMax) throw invalid(place, `it has at most ${rowBytesMax} bytes`);
  return { eventTimeMs, body };
}

export function decodeRow(key: string, { eventTimeMs, body }: Row): OnlineRow {
  return { key, eventTimeMs, values: JSON.parse(body.toString()) as Record<string, Json> };
}

export function placeOf(view: string, key: string): string {
  return `online row ${key.slice(0, 100)} of view ${view}`;
}

function invalid(place: string, rule: string): HeddleError {
  return new HeddleError("INVALID_ARGUMENT", "ROW_INVALID", `${place} is refused: ${rule}`);
}
