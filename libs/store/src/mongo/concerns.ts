import type { CollectionOptions, WriteConcernSettings } from "mongodb";

/** How long a server may take to answer one command before its connection is given up, in milliseconds. */
export const answerMs = 10_000;

/**
 * Every write names this: it is answered when a majority of the members that vote have it in their
 * journals, so neither a power cut nor a new primary can take back what was acknowledged.
 */
export const writing: { readonly writeConcern: WriteConcernSettings } = {
  writeConcern: { w: "majority", journal: true, wtimeoutMS: answerMs },
};

/**
 * Reads that a decision starts from: what no new primary can take back, from the primary. A primary
 * that was cut off and does not know it yet may answer with what was true some seconds ago; a write
 * that builds on that names an old revision and is refused.
 */
export const reading = {
  readConcern: { level: "majority" },
  readPreference: "primary",
  maxTimeMS: answerMs,
} as const satisfies CollectionOptions & { maxTimeMS: number };

/**
 * The read that says how a compare-and-set ended: the primary first makes sure that it still is the
 * primary and that a majority has what it answers. Only this may turn a refused write into an
 * acknowledged one.
 */
export const confirming = { ...reading, readConcern: { level: "linearizable" } } as const;
