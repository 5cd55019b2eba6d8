import { HeddleError } from "@heddle/base";
import type { Partitioning, PartitionRange } from "@heddle/sdk";

/** Partitions a dataset takes, both ends inclusive; `from` is empty for "from the first there is". */
export interface Partitions {
  readonly from: string;
  readonly to: string;
}

const dayMs = 86_400_000;

/**
 * The partitions of a dataset step, relative to the run's window.
 *
 * @param warm the model that learns from it continues from a live version, which knows all before the window.
 */
export function partitionsOf(
  range: PartitionRange,
  window: string,
  partitioning: Partitioning,
  warm: boolean,
): Partitions {
  if (range.kind === "log" || range.kind === "log-next") {
    const from = windowNumber(window) + (range.kind === "log" ? 0 : range.after);
    return { from: String(from), to: String(from + range.windows - 1) };
  }
  if (range.kind === "next") {
    const next = nextPartition(window, partitioning);
    return { from: next, to: next };
  }
  if (warm) return { from: window, to: window };
  return { from: range.from === undefined ? "" : String(range.from), to: window };
}

/**
 * The partition after a window: the next integer, day, week (named by its Monday) or month
 * (`2024-01`); `all` is followed by itself, for the holdout share splits its rows.
 *
 * @throws {HeddleError} INVALID_ARGUMENT WINDOW_INVALID when the window is no partition of that kind.
 */
export function nextPartition(window: string, partitioning: Partitioning): string {
  if (partitioning.by === "none") {
    if (window !== "all") throw invalid(window, "the data is not partitioned: take `all`");
    return window;
  }
  if (partitioning.by === "log") return String(windowNumber(window) + 1);
  if (partitioning.by === "column") {
    const value = /^(0|-?[1-9]\d*)$/.test(window) ? Number(window) : Number.NaN;
    if (!Number.isSafeInteger(value) || !Number.isSafeInteger(value + 1)) {
      throw invalid(window, `it must be a whole number, a value of column ${partitioning.column}`);
    }
    return String(value + 1);
  }
  return partitioning.unit === "month" ? nextMonth(window) : nextDay(window, partitioning.unit);
}

/** @throws {HeddleError} INVALID_ARGUMENT WINDOW_INVALID. */
export function windowNumber(window: string): number {
  if (/^(0|[1-9]\d{0,8})$/.test(window)) return Number(window);
  throw invalid(window, "it must be the number of a window of the event log, from 0");
}

function nextDay(window: string, unit: "day" | "week"): string {
  const time = dateOf(window);
  if (time === undefined) throw invalid(window, `it must be a ${unit}, written 2024-01-29`);
  if (unit === "week" && new Date(time).getUTCDay() !== 1) {
    throw invalid(window, "a week is named by its Monday, e.g. 2024-01-29");
  }
  return dateText(time + (unit === "day" ? 1 : 7) * dayMs);
}

function nextMonth(window: string): string {
  const time = /^\d{4}-\d{2}$/.test(window) ? dateOf(`${window}-01`) : undefined;
  if (time === undefined) throw invalid(window, "it must be a month, written 2024-01");
  const date = new Date(time);
  return dateText(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)).slice(0, 7);
}

/** Midnight UTC of `YYYY-MM-DD`, milliseconds; undefined when there is no such day. */
function dateOf(text: string): number | undefined {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(time) || dateText(time) !== text ? undefined : time;
}

const dateText = (time: number): string => new Date(time).toISOString().slice(0, 10);

function invalid(window: string, remedy: string): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "WINDOW_INVALID",
    `window "${window}" is not a partition of this model: ${remedy}`,
  );
}
