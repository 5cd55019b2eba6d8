import { changesKeptMs, removalsKeptMs } from "../topics.ts";

/** How topics are made, and what those that are there must have at least. */
export interface TopicSettings {
  readonly partitions: number;
  readonly replicas: number;
  /** A record is acknowledged when so many replicas have it. */
  readonly minInSyncReplicas: number;
  /** After it the brokers remove records, whoever read them. */
  readonly retentionMs: number;
  /** Of one partition: beyond it they remove the oldest, whoever read them. As the brokers have it when absent. */
  readonly retentionBytes?: number;
}

/** Batches of 1.5 MiB, and what is around them. */
export const maxMessageBytes = 2 << 20;

export interface Layout {
  readonly partitionsCount: number;
  readonly partitions: readonly { readonly replicas: readonly number[] }[];
}

/** Why a topic that is there is not as stated; undefined when it is. */
export function layoutProblem(layout: Layout, settings: TopicSettings): string | undefined {
  if (layout.partitionsCount < settings.partitions) {
    return `has ${layout.partitionsCount} partitions where ${settings.partitions} are stated: add some before its first record, or state fewer in the log's URL (partitions)`;
  }
  const fewest = Math.min(...layout.partitions.map(({ replicas }) => replicas.length));
  if (fewest < settings.replicas) {
    return `has ${fewest} replicas where ${settings.replicas} are stated: reassign its partitions, or state fewer in the log's URL (replicas)`;
  }
  return undefined;
}

/**
 * As `layoutProblem`, of its configuration; nothing is known of one that this user may not see.
 *
 * @param compacted whether it has to keep the newest of each key instead of all for a time.
 */
export function configProblem(
  config: ReadonlyMap<string, string> | undefined,
  settings: TopicSettings,
  compacted: boolean,
): string | undefined {
  const numberOf = (name: string): number => Number(config?.get(name) ?? Infinity);
  const inSync = numberOf("min.insync.replicas");
  if (inSync < settings.minInSyncReplicas) {
    return `acknowledges with ${inSync} replicas in sync where ${settings.minInSyncReplicas} are stated: raise its min.insync.replicas`;
  }
  const bytes = numberOf("max.message.bytes");
  if (bytes < maxMessageBytes) {
    return `takes batches of ${bytes} bytes where the largest has ${maxMessageBytes}: raise its max.message.bytes`;
  }
  const policy = config?.get("cleanup.policy");
  if (compacted) return compactionProblem(policy, numberOf);
  if (policy?.includes("compact") === true) {
    return "is compacted, and would lose records that nobody read: set its cleanup.policy to delete";
  }
  return undefined;
}

/** For how long a compacted topic keeps what gave way, in milliseconds at least. */
const keptAtLeast = {
  "delete.retention.ms": removalsKeptMs,
  "min.compaction.lag.ms": changesKeptMs,
};

function compactionProblem(
  policy: string | undefined,
  numberOf: (name: string) => number,
): string | undefined {
  if (policy !== undefined && policy !== "compact") {
    return `has cleanup.policy ${policy}, and would lose the newest record of a key: set it to compact`;
  }
  const short = Object.entries(keptAtLeast).find(([name, least]) => numberOf(name) < least);
  return short && `has ${short[0]} ${numberOf(short[0])} where ${short[1]} are needed: raise it`;
}

/** What a topic is made with. */
export function configsFor(
  { minInSyncReplicas, retentionMs, retentionBytes }: TopicSettings,
  compacted: boolean,
): Readonly<Record<string, string | number>> {
  return {
    ...(compacted
      ? { "cleanup.policy": "compact", ...keptAtLeast, "segment.ms": compactedSegmentMs }
      : {
          "cleanup.policy": "delete",
          "retention.ms": retentionMs,
          ...(retentionBytes !== undefined && { "retention.bytes": retentionBytes }),
        }),
    "segment.bytes": segmentBytes(compacted ? undefined : retentionBytes),
    "min.insync.replicas": minInSyncReplicas,
    "max.message.bytes": maxMessageBytes,
    // The log's own time: those of its producers may be wrong.
    "message.timestamp.type": "LogAppendTime",
  };
}

/** What is being written is not compacted: after so long it becomes a segment that is. */
const compactedSegmentMs = 24 * 3_600_000;

/** Brokers remove closed files alone, and theirs close at 1 GiB: a partition would keep that much beyond what it should. */
function segmentBytes(retentionBytes = Infinity): number {
  return Math.max(2 * maxMessageBytes, Math.min(64 << 20, Math.floor(retentionBytes / 4)));
}
