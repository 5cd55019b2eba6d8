import { randomUUID } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { isHeddleError, type LogRange, present } from "@heddle/base";
import { type EventLog, ingestTopicOf, offsetGone, type Position } from "@heddle/eventlog";
import { failpoint } from "@heddle/failpoint";
import type { IngestResult, SegmentFile } from "@heddle/feature-engine";
import type { Known } from "@heddle/store";
import type { Telemetry } from "@heddle/telemetry";
import {
  existingOf,
  full,
  type IngestDeps,
  retryRaces,
  sourceOf,
  storeSegment,
} from "../ingest/ingest.ts";
import {
  segmentsMax,
  segmentsOn,
  type Source,
  type StreamState,
  windowCut,
} from "../definitions/source.ts";
import type { FeatureStoreStore } from "../store.ts";
import { lineOf, recordsOf, type Refusal } from "./records.ts";
import { streamOf } from "./declared.ts";

export interface CutDeps extends IngestDeps {
  readonly eventLog: EventLog;
  readonly telemetry: Pick<Telemetry, "span" | "traceparent" | "link" | "log">;
}

/** Producers whose traces the span of a window links to. */
const tracesMax = 100;

/**
 * Cuts the next window of a source's stream, if all its records are there: log → engine (checked, pseudonymised, each event once) →
 * durable segment → one change of the source, which holds both the segment and how far the log is cut. So a death at any moment leaves the
 * window cut or not, and cut again it is the same. The next call, which follows at once, removes its records from the log.
 *
 * @returns whether there was one.
 * @throws {HeddleError} OUT_OF_RANGE OFFSET_GONE when the log no longer holds its records; RESOURCE_EXHAUSTED SEGMENTS_FULL.
 */
export function cutWindow(source: string, deps: CutDeps): Promise<boolean> {
  return deps.inTurn(source, () => retryRaces(() => cutNext(source, deps)));
}

async function cutNext(source: string, deps: CutDeps): Promise<boolean> {
  const { store, eventLog } = deps;
  const known = await sourceOf(store, source);
  const { windowRecords } = streamOf(known.state.definition);
  const topic = ingestTopicOf(source);
  const positions = await eventLog.positions(topic);
  const before = known.state.stream ?? beginning(positions);
  checkSameLog(topic, before, positions);
  await trimCut(topic, before, positions, eventLog);
  const piece = nextPiece(topic, windowRecords, before, positions);
  if (piece === undefined) return false;
  if (segmentsOn(known.state, "main").length >= segmentsMax) throw full(source, "main");
  const folder = join(deps.folder, randomUUID());
  try {
    await mkdir(folder, { recursive: true });
    const attributes = { "heddle.source": source, "heddle.window": before.windows };
    await deps.telemetry.span("cut window", { attributes }, () =>
      commit(known, before, piece, folder, deps),
    );
  } catch (error) {
    // Another feature store may have cut it meanwhile, and removed its records.
    if (!isHeddleError(error, "OFFSET_GONE") || !(await hasChanged(known, store))) throw error;
    return true;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  failpoint("feature-store.window.after-commit");
  return true;
}

async function hasChanged({ id, revision }: Known<Source>, store: FeatureStoreStore) {
  return (await sourceOf(store, id)).revision !== revision;
}

/**
 * A log that ends before what is cut is another one: its topic was made anew, or lost records. Windows would begin in its midst, and what
 * lies before would be removed unread.
 *
 * @throws {HeddleError} OUT_OF_RANGE OFFSET_GONE.
 */
function checkSameLog(topic: string, { cut }: StreamState, positions: readonly Position[]): void {
  for (const [partition, offset] of cut.entries()) {
    const held = positions[partition] ?? { start: 0, end: 0 };
    if (held.end < offset) throw offsetGone(topic, partition, offset, held);
  }
}

/** Removes what is cut: raw subjects lie in the log, the segment has their pseudonyms. A death before it only puts it off. */
async function trimCut(
  topic: string,
  { cut }: StreamState,
  positions: readonly Position[],
  eventLog: EventLog,
): Promise<void> {
  const held = [...positions.entries()].filter(([at, { start }]) => start < (cut[at] ?? 0));
  await Promise.all(
    held.map(([partition]) => eventLog.trim(topic, partition, cut[partition] ?? 0)),
  );
  if (held.length > 0) failpoint("feature-store.window.after-trim");
}

/** @returns a stream of which nothing is cut. */
export function beginning(positions: readonly Position[]): StreamState {
  const from = positions.map(() => 0);
  return { windows: 0, from, cut: from, refused: {} };
}

/** The records to cut next: the same number from each partition; undefined while some are missing. */
function nextPiece(
  topic: string,
  windowRecords: number,
  { cut }: StreamState,
  positions: readonly Position[],
): readonly LogRange[] | undefined {
  if (positions.length === 0) return undefined;
  const share = Math.ceil(windowRecords / positions.length);
  const ranges = positions.map((_, partition) => {
    const from = cut[partition] ?? 0;
    return { topic, partition, from, to: from + share };
  });
  return ranges.every(({ to }, partition) => to <= (positions[partition]?.end ?? 0))
    ? ranges
    : undefined;
}

async function commit(
  known: Known<Source>,
  before: StreamState,
  piece: readonly LogRange[],
  folder: string,
  deps: CutDeps,
): Promise<void> {
  const { store, eventLog, objects, telemetry } = deps;
  const { definition } = known.state;
  const traceparent = telemetry.traceparent();
  const trace = traceparent !== undefined && { traceparent };
  const { name } = definition;
  const target = join(folder, "segment");
  const { refusals, outcome } = await checked(known.state, piece, folder, target, deps);
  const useless = refusals.map(({ record, reason, problem }) => ({
    record,
    reason: `${reason}: ${problem}`,
  }));
  await eventLog.deadLetter(ingestTopicOf(name), useless);
  failpoint("feature-store.window.after-dead-letters");
  const { segment: written, events, duplicates } = outcome;
  const cut = piece.map(({ to }) => to);
  let segment: SegmentFile | undefined;
  if (written !== undefined) {
    const object = await storeSegment(objects, name, written.rowHash, target);
    // From the end of the window before: what held no event belongs to the next one that has some.
    const log = piece.map((range, n) => ({ ...range, from: before.from[n] ?? 0 }));
    const window = { number: before.windows, log };
    const fileName = `window ${before.windows}`;
    segment = { object, events, fileName, ...written, window, ...trace };
  }
  failpoint("feature-store.window.after-segment");
  const stream = {
    windows: before.windows + (segment === undefined ? 0 : 1),
    from: segment === undefined ? before.from : cut,
    cut,
    ...refusedWith(before, refusals),
  };
  await store.sources.update(
    name,
    (source) => windowCut(source, segment, stream, { events, duplicates }),
    { requestId: `window/${cut.join("/")}`, request: { cut }, actor: "feature-store", ...trace },
    { expected: known.revision },
  );
}

/** Has the engine make a segment of the records that are events. */
async function checked(
  state: Source,
  piece: readonly LogRange[],
  folder: string,
  target: string,
  { eventLog, engine, objects, pseudonymKey, telemetry }: CutDeps,
): Promise<{ readonly refusals: readonly Refusal[]; readonly outcome: IngestResult }> {
  const { definition } = state;
  const path = join(folder, "arrived");
  const refusals: Refusal[] = [];
  /** Of the lines written, by row. */
  const places: { readonly partition: number; readonly offset: number }[] = [];
  // The log's time, not this process's: whether an event lies in the future is a matter of the log, too.
  let nowMs = 0;
  const traces = new Set<string>();
  {
    await using file = await open(path, "w");
    for await (const records of recordsOf(eventLog, piece)) {
      const lines: string[] = [];
      for (const record of records) {
        nowMs = Math.max(nowMs, record.timeMs);
        const { traceparent } = record.headers;
        if (traceparent !== undefined && traces.size < tracesMax) traces.add(traceparent);
        const line = lineOf(record, definition);
        if (typeof line !== "string") {
          refusals.push({ record, ...line });
          continue;
        }
        places.push({ partition: record.partition, offset: record.offset });
        lines.push(`${line}\n`);
      }
      await file.appendFile(lines.join(""));
    }
  }
  for (const traceparent of traces) telemetry.link(traceparent);
  if (places.length === 0) return { refusals, outcome: { events: 0, duplicates: 0, differing: 0 } };
  const task = {
    ...{ source: definition, path, fileName: "its stream", format: "jsonl" as const },
    ...{ nowMs, target },
    pseudonymKeyHex: await pseudonymKey.hex(),
    existing: await existingOf(segmentsOn(state, "main"), objects),
    leaveOut: true,
  };
  const outcome = await engine.ask({ kind: "ingest", task });
  for (const { row, reason, problem } of outcome.leftOut ?? []) {
    const { partition, offset } = present(places[row - 1], `row ${row}`);
    const [record] = await eventLog.read(ingestTopicOf(definition.name), partition, offset, 1);
    refusals.push({ record: present(record, `record ${offset}`), reason, problem });
  }
  return { refusals, outcome };
}

function refusedWith(
  { refused, refusedExample }: StreamState,
  refusals: readonly Refusal[],
): Pick<StreamState, "refused" | "refusedExample"> {
  const counts = { ...refused };
  for (const { reason } of refusals) counts[reason] = (counts[reason] ?? 0) + 1;
  const newest = refusals.at(-1);
  const example = newest === undefined ? refusedExample : exampleOf(newest);
  return { refused: counts, ...(example !== undefined && { refusedExample: example }) };
}

const exampleOf = ({ record: { partition, offset }, reason, problem }: Refusal): string =>
  `partition ${partition}, offset ${offset}: ${reason}: ${problem}`;
