import type { Json } from "@heddle/base";

export interface OnlineRow {
  /** Entity key, e.g. `household=12/product=900`. */
  readonly key: string;
  /** When the newest event behind the values happened, ms: an older row never replaces a newer one. */
  readonly eventTimeMs: number;
  readonly values: Readonly<Record<string, Json>>;
}

/** The online values port: for each (view, key) the newest row. */
export interface OnlineValues {
  /** Writes rows; newest event time wins, whatever the order of arrival. Durable when it resolves. */
  put(view: string, rows: readonly OnlineRow[]): Promise<void>;
  /** Rows in the order of `keys`; undefined where none is known. */
  get(view: string, keys: readonly string[]): Promise<readonly (OnlineRow | undefined)[]>;
  /** Removes a view's rows. */
  clear(view: string): Promise<void>;
  /**
   * Waits until all that any process had put when it was asked can be read here.
   *
   * @throws {HeddleError} UNAVAILABLE when that takes too long, or cannot be known.
   */
  catchUp(): Promise<void>;
  /** What any process put longer ago than this can be read here, in milliseconds; 0 where all put here. */
  lagMs(): number;
  [Symbol.asyncDispose](): Promise<void>;
}
