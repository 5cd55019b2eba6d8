import type { SourceDefinition } from "@heddle/sdk";

export type EventFormat = "parquet" | "csv" | "jsonl";

export interface IngestTask {
  readonly source: SourceDefinition;
  /** The file as it arrived, and the name it is known by. */
  readonly path: string;
  readonly fileName: string;
  readonly format: EventFormat;
  /** Now, milliseconds since the epoch: no event may lie after it. */
  readonly nowMs: number;
  /** Secret key of the pseudonyms, hexadecimal. */
  readonly pseudonymKeyHex: string;
  /** The branch's segments, with their local paths: those that may hold the same events are read. */
  readonly existing: readonly ExistingSegment[];
  /** Where the segment is written. */
  readonly target: string;
  /**
   * Whether rows that are no events of the source are left out and reported, and not the whole file refused: those of a log, whose
   * columns are all declared. One that lacks a column has no value there.
   */
  readonly leaveOut?: boolean;
}

/** A row that was left out. */
export interface LeftOut {
  /** From 1. */
  readonly row: number;
  readonly reason: string;
  readonly problem: string;
}

export interface ExistingSegment {
  readonly path: string;
  readonly ranges: Readonly<Record<string, readonly [number, number]>>;
}

/** What became of a file. Without `segment` it held nothing new. */
export interface IngestResult {
  readonly events: number;
  readonly duplicates: number;
  /** Of the duplicates those that say something else than the event that is kept; 0 where a log may repeat what it said. */
  readonly differing: number;
  /** Rows that are no events; in order, absent unless asked for. */
  readonly leftOut?: readonly LeftOut[];
  readonly segment?: {
    readonly rowHash: string;
    readonly eventTimeMinMs: number;
    readonly eventTimeMaxMs: number;
    readonly availableTimeMinMs: number;
    readonly availableTimeMaxMs: number;
    readonly ranges: Readonly<Record<string, readonly [number, number]>>;
  };
}
