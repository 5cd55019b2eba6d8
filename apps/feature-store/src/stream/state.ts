import type { MessageInitShape } from "@bufbuild/protobuf";
import { isHeddleError } from "@heddle/base";
import { type EventLog, ingestTopicOf, type LogRecord } from "@heddle/eventlog";
import type { GetStreamResponseSchema } from "@heddle/proto/feature-store";
import { sourceOf } from "../ingest/ingest.ts";
import type { FeatureStoreStore } from "../store.ts";
import { beginning } from "./cut.ts";
import { streamOf } from "./declared.ts";

/** @throws {HeddleError} INVALID_ARGUMENT UNKNOWN_SOURCE; FAILED_PRECONDITION NO_STREAM. */
export async function streamState(
  source: string,
  { store, eventLog }: { readonly store: FeatureStoreStore; readonly eventLog: EventLog },
  problem: string | undefined,
): Promise<MessageInitShape<typeof GetStreamResponseSchema>> {
  const { state } = await sourceOf(store, source, "the stream");
  streamOf(state.definition);
  const topic = ingestTopicOf(source);
  const positions = await eventLog.positions(topic);
  const { windows, cut, refused, refusedExample = "" } = state.stream ?? beginning(positions);
  const oldest: number[] = [];
  for (const [partition, { start, end }] of positions.entries()) {
    const at = Math.max(start, cut[partition] ?? 0);
    if (at === end) continue;
    const record = await recordAt(topic, partition, at, eventLog);
    if (record !== undefined) oldest.push(record.timeMs);
  }
  return {
    ...{ topic, windows, refusedExample, problem: problem ?? "" },
    partitions: positions.map(({ start, end }, partition) => ({
      partition,
      startOffset: BigInt(start),
      endOffset: BigInt(end),
      cutOffset: BigInt(cut[partition] ?? 0),
    })),
    refused: Object.fromEntries(Object.entries(refused).map(([why, n]) => [why, BigInt(n)])),
    waitingSinceTimeMs: BigInt(oldest.length === 0 ? 0 : Math.min(...oldest)),
  };
}

/** Nothing where its window was cut, and removed from the log, since its place was asked for. */
async function recordAt(
  topic: string,
  partition: number,
  offset: number,
  eventLog: EventLog,
): Promise<LogRecord | undefined> {
  try {
    return (await eventLog.read(topic, partition, offset, 1))[0];
  } catch (error) {
    if (isHeddleError(error, "OFFSET_GONE")) return undefined;
    throw error;
  }
}
