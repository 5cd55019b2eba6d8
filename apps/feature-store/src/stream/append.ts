import { HeddleError } from "@heddle/base";
import { type EventLog, ingestTopicOf } from "@heddle/eventlog";
import type { AppendedEvent } from "@heddle/proto/feature-store";
import { sourceOf } from "../ingest/ingest.ts";
import type { FeatureStoreStore } from "../store.ts";
import { streamOf } from "./declared.ts";

export interface AppendDeps {
  readonly store: FeatureStoreStore;
  readonly eventLog: EventLog;
  /** Records that may wait for their window. */
  readonly waitingRecordsMax: number;
  /** Says that there may be a window to cut. */
  readonly appended: (source: string) => void;
}

const eventsMax = 1_000;

/**
 * Appends events to a source's topic. What they are is found out when their window is cut.
 *
 * @throws {HeddleError} INVALID_ARGUMENT UNKNOWN_SOURCE, EVENTS_INVALID, RECORD_TOO_LARGE; FAILED_PRECONDITION NO_STREAM;
 *   RESOURCE_EXHAUSTED STREAM_BEHIND, LOG_FULL.
 */
export async function appendEvents(
  source: string,
  events: readonly AppendedEvent[],
  { store, eventLog, waitingRecordsMax, appended }: AppendDeps,
): Promise<void> {
  const { state } = await sourceOf(store, source, "the stream");
  const { windowRecords } = streamOf(state.definition);
  if (events.length === 0 || events.length > eventsMax) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "EVENTS_INVALID",
      `source ${source}: ${events.length} events were sent at once; send 1 to ${eventsMax}`,
    );
  }
  const topic = ingestTopicOf(source);
  const positions = await eventLog.positions(topic);
  const waiting = positions.reduce(
    (sum, { end }, partition) => sum + end - (state.stream?.cut[partition] ?? 0),
    0,
  );
  // A window's records wait in any case.
  if (waiting + events.length > Math.max(waitingRecordsMax, 2 * windowRecords)) {
    throw new HeddleError(
      "RESOURCE_EXHAUSTED",
      "STREAM_BEHIND",
      `source ${source}: ${waiting} records wait for their window, and no more may; nothing was appended: append again when \`heddle stream ${source}\` says fewer, or why no windows are cut`,
      { metadata: { source, waiting: String(waiting) } },
    );
  }
  const encoder = new TextEncoder();
  await eventLog.append(
    topic,
    events.map(({ key, json }) => ({
      key: key === "" ? json : key,
      value: encoder.encode(json),
      headers: {},
    })),
  );
  appended(source);
}
