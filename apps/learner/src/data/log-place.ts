import { assert, HeddleError, type LogRange, shortName } from "@heddle/base";
import type { ModelDefinition } from "@heddle/sdk";
import type { TrainingPartition } from "./reader.ts";
import type { DataCursor } from "./rows.ts";

/** How much of an event log is in a model's parameters: of each partition of the topic all records before its offset, and none after. */
export interface LogPlace {
  readonly topic: string;
  readonly offsets: readonly number[];
}

/** Of windows of the log: the place at the end of each, where the cuts of their training lie. */
export interface LogPlaces {
  readonly start: LogPlace;
  /** @param cursor at the beginning of a window, or behind the last one. */
  at(cursor: DataCursor): LogPlace;
  /** What the windows hold together. */
  readonly ranges: readonly LogRange[];
}

/**
 * Undefined where the partitions are none of the log.
 *
 * @throws {HeddleError} FAILED_PRECONDITION LOG_GAP when a window does not begin where the one before ends.
 */
export function logPlaces(partitions: readonly TrainingPartition[]): LogPlaces | undefined {
  const windows = partitions.flatMap(({ log }) => (log === undefined ? [] : [log]));
  const [first] = windows;
  const last = windows.at(-1);
  if (first === undefined || last === undefined) return undefined;
  assert(windows.length === partitions.length, "all partitions are windows, or none");
  const start = placeOf(first, "from");
  windows.reduce((end, window, n) => {
    checkJoins(end, placeOf(window, "from"), `window ${partitions[n]?.partition}`);
    return placeOf(window, "to");
  }, start);
  return {
    start,
    at: ({ partition, batch }) => {
      assert(batch === 0, "a window is in the parameters whole, or not at all");
      const before = windows[partition - 1];
      return before === undefined ? start : placeOf(before, "to");
    },
    ranges: last.map((range) => ({ ...range, from: start.offsets[range.partition] ?? 0 })),
  };
}

function placeOf(window: readonly LogRange[], end: "from" | "to"): LogPlace {
  const offsets: number[] = [];
  for (const range of window) offsets[range.partition] = range[end];
  return { topic: window[0]?.topic ?? "", offsets };
}

/**
 * What a run learns must begin where its parent's parameters end: else events would be lost, or count twice.
 *
 * @throws {HeddleError} FAILED_PRECONDITION LOG_GAP.
 */
export function checkContinues(
  places: LogPlaces | undefined,
  parent: LogPlace | undefined,
  parentVersion: string,
): void {
  if (places === undefined || parent === undefined || parent.topic !== places.start.topic) return;
  checkJoins(parent, places.start, `what continues version ${shortName(parentVersion)}`);
}

/** A topic may get further partitions; the first window that has them begins with their first record. */
function checkJoins(end: LogPlace, start: LogPlace, what: string): void {
  const endOf = (partition: number): number => end.offsets[partition] ?? 0;
  const at = start.offsets.findIndex((offset, partition) => offset !== endOf(partition));
  if (at < 0 && start.topic === end.topic) return;
  const [is, should] = [start.offsets[Math.max(0, at)], endOf(Math.max(0, at))];
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "LOG_GAP",
    `${what} begins at offset ${is} of topic ${start.topic}, partition ${Math.max(0, at)}, and the events before it are trained up to ${should}: take the windows in their order, each once`,
    {
      metadata: { topic: start.topic, partition: String(at), from: `${is}`, trained: `${should}` },
    },
  );
}

/**
 * Each cut of a training on the log lies at the end of a window, and each window is trained.
 *
 * @throws {HeddleError} FAILED_PRECONDITION LOG_NEEDS_EXACT.
 */
export function checkLogTraining({ name, training }: ModelDefinition): void {
  const { mode, earlyStopping } = training;
  if (mode?.kind !== "bounded" && earlyStopping === undefined) return;
  const what = earlyStopping === undefined ? "bounded mode" : "early stopping";
  throw new HeddleError(
    "FAILED_PRECONDITION",
    "LOG_NEEDS_EXACT",
    `model ${name} trains with ${what}, and learning from the event log takes exact mode without early stopping, for a snapshot says which events are in it: change training, or learn from datasets`,
  );
}
