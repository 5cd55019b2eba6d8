/** Types a column of a source, or a feature, may have. `category` is any value used by its identity alone. */
export type ColumnType = "int64" | "float64" | "string" | "boolean" | "timestamp";

/** When an event could first have been known; every join respects it. */
export type Availability =
  /** Known the moment it happened. */
  | { readonly rule: "at-event" }
  /** Known at a time of day (UTC, `HH:MM`) on the day after it happened: a nightly load. */
  | { readonly rule: "next-day"; readonly at: string }
  /** The file says. */
  | { readonly rule: "column"; readonly column: string };

/** How the events that come by the log are cut into windows, the partitions that a model learns online from. */
export interface Stream {
  /**
   * Records of a window, an equal number from each partition of the log, in offset order. A window is cut when all of them are there and
   * never earlier, so it depends on the log alone.
   */
  readonly windowRecords: number;
}

/** Raw events, who owns them and what they may be used for. */
export interface SourceDefinition {
  readonly kind: "source";
  /** Lower-case letters, digits and `_`; unique. */
  readonly name: string;
  readonly owner: string;
  readonly licence: string;
  /** Why the law allows its use, e.g. `contract`, `consent`, `public data`. */
  readonly lawfulBasis: string;
  readonly retentionDays: number;
  /** Jurisdiction the data falls under, e.g. `US`. */
  readonly jurisdiction: string;
  /** What it may train or serve; reading for another purpose is refused. */
  readonly purposes: readonly string[];
  /** Every column of the file, by name; another or a missing one is an error. */
  readonly columns: Readonly<Record<string, ColumnType>>;
  /**
   * Columns that identify one event: a second event with the same values is counted once. Each event needs a value in each; only where
   * they are all columns there are, an empty one is a value like any other.
   */
  readonly eventId: readonly string[];
  /** The timestamp column saying when it happened; absent for a reference table, which each ingest replaces whole. */
  readonly eventTime?: string;
  readonly available: Availability;
  /** Events come by the event log, too; absent: by files alone. */
  readonly stream?: Stream;
  /** Column identifying the person or thing the events are about: stored under a pseudonym, and rows are clustered by it. */
  readonly subject?: string;
}

/** Declares a source. Its shape is checked when it is applied. */
export function defineSource(definition: Omit<SourceDefinition, "kind">): SourceDefinition {
  return { kind: "source", ...definition };
}
