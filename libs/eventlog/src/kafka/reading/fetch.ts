import { present } from "@heddle/base";
import { type Consumer, FetchIsolationLevels } from "@platformatic/kafka";
import type { ClientOptions } from "../client.ts";
import { hasApiId, isBatchTooLarge } from "../errors.ts";
import { readBatchHead } from "./batch-head.ts";
import { decoded, type Fetched, type Part, unreadable } from "./decode.ts";

/** What fetches. */
export interface FetchClient {
  /** Of no group. */
  readonly consumer: Consumer;
  /** It was made with these. */
  readonly options: ClientOptions;
}

/** A partition of a topic and the offset of the first record wanted. */
export interface Wanted {
  readonly partition: number;
  readonly offset: number;
  /** Of what the broker may send; `partitionBytesMax` when absent. One batch comes in any case. */
  readonly bytesMax?: number;
}

export const partitionBytesMax = 2 << 20;
const answerBytesMax = 8 << 20;

/**
 * What the brokers have of some partitions of one topic, from given offsets on; without a group. Records of aborted transactions are
 * left out here, for the client hands them over. Of a batch that grows beyond `unpackedBytesMax` there is one record, without key and
 * value, that says so.
 *
 * @param name the topic as its readers know it.
 * @param waitMs for the first record to come.
 */
export async function fetchRecords(
  client: FetchClient,
  topic: string,
  name: string,
  wanted: readonly Wanted[],
  waitMs: number,
): Promise<readonly Fetched[]> {
  const { consumer } = client;
  // The client asks for all topics that it tracks, and fails when one of them is gone.
  if (!consumer.topics.has(topic) || consumer.topics.size > 1) {
    consumer.topics.clear();
    consumer.topics.track(topic);
  }
  const { topics, brokers } = await consumer.metadata({ topics: [topic] });
  const layout = topics.get(topic);
  const byLeader = Map.groupBy(
    wanted,
    ({ partition }) => layout?.partitions[partition]?.leader ?? -1,
  );
  const answers = [...byLeader].map(async ([node, some]) => {
    const topicId = layout?.id ?? "";
    let parts: readonly Part[];
    try {
      parts = await fetchParts(consumer, node, topicId, some, waitMs);
    } catch (error) {
      if (!isBatchTooLarge(error)) throw error;
      const [first] = some;
      if (some.length > 1 || first?.bytesMax !== oneBatch) {
        return await oneByOne(client, topic, name, some);
      }
      const broker = present(brokers.get(node), `broker ${node} answered`);
      const { partition, offset } = first;
      const head = await readBatchHead({ broker, topicId, partition }, offset, client.options);
      return [unreadable(name, partition, head)];
    }
    return some.map(({ partition, offset }) =>
      decoded(
        name,
        partition,
        offset,
        parts.find((part) => part.partitionIndex === partition),
      ),
    );
  });
  return (await Promise.all(answers)).flat();
}

/** The broker sends at least one. */
const oneBatch = 1;

/** Each partition for itself, a batch of it: so one that cannot be read is told from those around it. */
async function oneByOne(
  client: FetchClient,
  topic: string,
  name: string,
  wanted: readonly Wanted[],
): Promise<readonly Fetched[]> {
  const fetched: Fetched[] = [];
  for (const { partition, offset } of wanted) {
    const one = [{ partition, offset, bytesMax: oneBatch }];
    fetched.push(...(await fetchRecords(client, topic, name, one, 0)));
  }
  return fetched;
}

async function fetchParts(
  consumer: Consumer,
  node: number,
  topicId: string,
  wanted: readonly Wanted[],
  waitMs: number,
): Promise<readonly Part[]> {
  const fetch = () =>
    consumer.fetch({
      node,
      topics: [{ topicId, partitions: wanted.map(asked) }],
      ...{ maxWaitTime: waitMs, minBytes: 1, maxBytes: answerBytesMax },
      isolationLevel: FetchIsolationLevels.READ_COMMITTED,
    });
  const answer = await fetch().catch((error: unknown) => {
    // An answer that could not be read was one more of its session for the broker alone; the client begins another one then.
    if (hasApiId(error, "INVALID_FETCH_SESSION_EPOCH")) return fetch();
    throw error;
  });
  return answer.responses.flatMap(({ partitions }) => partitions);
}

const asked = ({ partition, offset, bytesMax = partitionBytesMax }: Wanted) => ({
  partition,
  fetchOffset: BigInt(offset),
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
  partitionMaxBytes: bytesMax,
});
