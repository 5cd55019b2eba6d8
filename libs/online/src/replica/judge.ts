import { isNewer, type Row } from "../row.ts";

/** A row counts as long as its generation is its view's: clearing a view begins the next one. */
export interface Aged extends Row {
  readonly generation: number;
}

/**
 * What a record of the log is against what is known of its key:
 * - `takes`: it is what is known from now on;
 * - `agrees`: it says what is known already;
 * - `loses`: more is known. The log's last record of the key is then not the one that counts, and compaction would keep that one.
 */
export type Verdict = "takes" | "agrees" | "loses";

/**
 * Judges a row, or its removal. What is known after any records of a key is the greatest of them by generation, event time and values,
 * in whatever order and however often they come; so is what is known after the greatest alone. Removals take away only what does not
 * count: they are there for the log to forget it.
 *
 * @param said undefined for a removal.
 * @param generation of the view.
 */
export function judge(
  said: Aged | undefined,
  known: Aged | undefined,
  generation: number,
): Verdict {
  const counts = known !== undefined && known.generation >= generation;
  if (said === undefined) return counts ? "loses" : known === undefined ? "agrees" : "takes";
  if (said.generation < generation) return "loses";
  if (!counts || precedes(known, said)) return "takes";
  return precedes(said, known) ? "loses" : "agrees";
}

/** Judges a generation of a view: the greatest counts. */
export function judgeGeneration(said: number, known: number): Verdict {
  if (said > known) return "takes";
  return said === known ? "agrees" : "loses";
}

function precedes(one: Aged, other: Aged): boolean {
  if (one.generation !== other.generation) return one.generation < other.generation;
  return isNewer(other, one);
}
