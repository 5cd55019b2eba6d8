import { type Admin, ConfigResourceTypes } from "@platformatic/kafka";
import { hasApiId, isUnknownTopic, kafkaError, type Place, topicUnsuitable } from "./errors.ts";
import { configProblem, configsFor, layoutProblem, type TopicSettings } from "./suitable.ts";

/** The topics of a log, by the names they have at the brokers. */
export interface Topics {
  /** Its partitions; undefined when it is not there. */
  partitionsOf(topic: string): Promise<number | undefined>;
  /**
   * Its partitions; it is made when it is not there, and looked at when it is.
   *
   * @param compacted whether it keeps the newest of each key.
   * @throws {HeddleError} FAILED_PRECONDITION TOPIC_UNSUITABLE.
   */
  ensure(topic: string, compacted: boolean): Promise<number>;
  /** What tells it from another one that had its name before; asks the brokers anew. */
  idOf(topic: string): Promise<string>;
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
  const ensure: Topics["ensure"] = async (topic, compacted) => {
    const layout = (await layoutOf(topic)) ?? (await made(topic, compacted));
    if (!suitable.has(topic)) {
      const problem =
        layoutProblem(layout, settings) ??
        configProblem(await configOf(admin, topic, place), settings, compacted);
      if (problem !== undefined) throw topicUnsuitable(topic, place, problem);
      suitable.add(topic);
    }
    return layout.partitionsCount;
  };
  const made = async (topic: string, compacted: boolean) => {
    try {
      await admin.createTopics({
        topics: [topic],
        partitions: settings.partitions,
        replicas: settings.replicas,
        configs: Object.entries(configsFor(settings, compacted)).map(([name, value]) => ({
          name,
          value: String(value),
        })),
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
    idOf: (topic) => idOf(admin, topic, place),
    check: async () => {
      // What is known already would be answered without a broker.
      await named(admin.metadata({ topics: [], forceUpdate: true, retries: 0 }), place);
    },
    list: () => named(admin.listTopics(), place),
  };
}

/** An answer of the brokers, or its failure as ours. */
async function named<T>(answer: Promise<T>, place: Place): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw kafkaError(error, place);
  }
}

async function idOf(admin: Admin, topic: string, place: Place): Promise<string> {
  try {
    const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true, retries: 0 });
    return topics.get(topic)?.id ?? "";
  } catch (error) {
    // It was removed: whoever tries again finds it so, and makes it.
    if (isUnknownTopic(error)) admin.clearMetadata();
    throw kafkaError(error, { ...place, topic });
  }
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
