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

/** As `layoutProblem`, of its configuration; nothing is known of one that this user may not see. */
export function configProblem(
  config: ReadonlyMap<string, string> | undefined,
  settings: TopicSettings,
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
  if (config?.get("cleanup.policy")?.includes("compact") === true) {
    return "is compacted, and would lose records that nobody read: set its cleanup.policy to delete";
  }
  return undefined;
}
