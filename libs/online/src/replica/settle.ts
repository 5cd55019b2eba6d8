import { setImmediate as nextTurn } from "node:timers/promises";
import type { NewRecord } from "@heddle/eventlog";
import { recordOf, type Said, viewKeyOf } from "./change.ts";
import type { Table } from "./table.ts";

/** Records of one append. */
const recordsAtOnceMax = 256;

/**
 * What the log has to be told next, so that compaction keeps what counts and forgets what does not: for keys whose last record is not
 * the one that counts this one again, and removals of what is left of views that were cleared. All of it may be said twice, and by
 * several replicas: it changes nothing that can be read. Views of which nothing is left are struck off on the way.
 *
 * @returns none when there is nothing to say now.
 */
export async function nextToSettle(
  table: Table,
  after: readonly number[],
): Promise<readonly NewRecord[]> {
  const unsettled = table.marks.unsettled(recordsAtOnceMax);
  const record = (key: Buffer, said: Said): NewRecord => recordOf({ key, said, after });
  if (unsettled.length > 0) return unsettled.map((key) => record(key, truthOf(table, key)));
  for (let next = table.marks.cleared(); next !== undefined; next = table.marks.cleared()) {
    const { view, generation } = next;
    const remains = await remainsOf(table, view);
    if (remains.length > 0) return remains.map((key) => record(key, { kind: "removal" }));
    await table.marks.swept(view, generation);
  }
  return [];
}

function truthOf(table: Table, key: Buffer): Said {
  const isView = viewKeyOf(key).length === key.length;
  if (isView) return { kind: "generation", generation: table.generation(key) };
  const row = table.row(key);
  return row === undefined ? { kind: "removal" } : { kind: "row", row };
}

/** Some rows of a view that do not count; none when there are no more. */
async function remainsOf(table: Table, view: Buffer): Promise<readonly Buffer[]> {
  for (let start: Buffer | undefined; ;) {
    const { keys, next } = table.marks.remains(view, start);
    if (keys.length > 0) return keys.slice(0, recordsAtOnceMax);
    if (next === undefined) return [];
    start = next;
    await nextTurn();
  }
}
