import { type Admin, ConfigResourceTypes } from "@platformatic/kafka";
import { hasApiId, isUnknownTopic, kafkaError, type Place, topicUnsuitable } from "./errors.ts";
import { configProblem, layoutProblem, maxMessageBytes, type TopicSettings } from "./suitable.ts";

/** The topics of a log, by the names they have at the brokers. */
export interface Topics {
  /** Its partitions; undefined when it is not there. */
  partitionsOf(topic: string): Promise<number | undefined>;
  /**
   * Its partitions; it is made when it is not there, and looked at when it is.
   *
   * @throws {HeddleError} FAILED_PRECONDITION TOPIC_UNSUITABLE.
   */
  ensure(topic: string): Promise<number>;
  list(): Promise<readonly string[]>;
  /** Asks the brokers for nothing but an answer, once. */
  check(): Promise<void>;
}

/** Someone may add partitions; a producer that knows of fewer is right, too, but not for long. */
const metadataMaxAgeMs = 60_000;

export function openTopics(admin: Admin, settings: TopicSettings, place: Place): Topics {
  const suitable = new Set<string>();
  const layoutOf = async (topic: string) => {
    try {
      const { topics } = await admin.metadata({
        topics: [topic],
        metadataMaxAge: metadataMaxAgeMs,
        retries: 0,
      });
      return topics.get(topic);
    } catch (error) {
      if (isUnknownTopic(error)) return undefined;
      throw kafkaError(error, { ...place, topic });
    }
  };
  const ensure = async (topic: string): Promise<number> => {
    const layout = (await layoutOf(topic)) ?? (await made(topic));
    if (!suitable.has(topic)) {
      const problem =
        layoutProblem(layout, settings) ??
        configProblem(await configOf(admin, topic, place), settings);
      if (problem !== undefined) throw topicUnsuitable(topic, place, problem);
      suitable.add(topic);
    }
    return layout.partitionsCount;
  };
  const made = async (topic: string) => {
    try {
      await admin.createTopics({
        topics: [topic],
        partitions: settings.partitions,
        replicas: settings.replicas,
        configs: configsFor(settings),
      });
    } catch (error) {
      // Another process was first.
      if (!hasApiId(error, "TOPIC_ALREADY_EXISTS")) throw kafkaError(error, { ...place, topic });
    }
    return await untilLed(topic);
  };
  /** A topic is made before its partitions have leaders. */
  const untilLed = async (topic: string) => {
    for (let tries = 1; ; tries++) {
      admin.clearMetadata();
      const layout = await layoutOf(topic).catch(() => undefined);
      if (layout !== undefined) return layout;
      if (tries === leaderTriesMax)
        throw kafkaError(new Error("it has no leader yet"), { ...place, topic });
      await new Promise((resolve) => setTimeout(resolve, leaderWaitMs));
    }
  };
  return {
    ensure,
    partitionsOf: async (topic) => (await layoutOf(topic))?.partitionsCount,
    check: async () => {
      try {
        // What is known already would be answered without a broker.
        await admin.metadata({ topics: [], forceUpdate: true, retries: 0 });
      } catch (error) {
        throw kafkaError(error, place);
      }
    },
    list: async () => {
      try {
        return await admin.listTopics();
      } catch (error) {
        throw kafkaError(error, place);
      }
    },
  };
}

/** What a topic is made with. */
function configsFor({ minInSyncReplicas, retentionMs, retentionBytes }: TopicSettings) {
  return Object.entries({
    "cleanup.policy": "delete",
    "min.insync.replicas": String(minInSyncReplicas),
    "retention.ms": String(retentionMs),
    ...(retentionBytes !== undefined && { "retention.bytes": String(retentionBytes) }),
    "segment.bytes": String(segmentBytes(retentionBytes)),
    "max.message.bytes": String(maxMessageBytes),
    // The log's own time: those of its producers may be wrong.
    "message.timestamp.type": "LogAppendTime",
  }).map(([name, value]) => ({ name, value }));
}

/** Brokers remove closed files alone, and theirs close at 1 GiB: a partition would keep that much beyond what it should. */
function segmentBytes(retentionBytes = Infinity): number {
  return Math.max(2 * maxMessageBytes, Math.min(64 << 20, Math.floor(retentionBytes / 4)));
}

const leaderTriesMax = 50;
const leaderWaitMs = 100;

/** Undefined when this user may not see it: then the brokers refuse by themselves what does not fit. */
async function configOf(
  admin: Admin,
  topic: string,
  place: Place,
): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const [described] = await admin.describeConfigs({
      resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }],
    });
    return new Map(described?.configs.map(({ name, value }) => [name, value ?? ""]));
  } catch (error) {
    if (hasApiId(error, "TOPIC_AUTHORIZATION_FAILED")) return undefined;
    throw kafkaError(error, { ...place, topic });
  }
}
