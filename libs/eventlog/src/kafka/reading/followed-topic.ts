import { orAborted } from "@heddle/base";
import { Consumer } from "@platformatic/kafka";
import { offsetGone } from "../../errors.ts";
import type { FollowedTopic } from "../../following.ts";
import type { LogRecord } from "../../port.ts";
import { isCompacted } from "../../topics.ts";
import type { ClientOptions } from "../client.ts";
import { hasApiId, kafkaError, type Place } from "../errors.ts";
import { fetchRecords } from "./fetch.ts";
import type { Reader } from "./reader.ts";
import type { Topics } from "../topics.ts";

interface FollowedTopicDeps {
  readonly topics: Topics;
  readonly reader: Reader;
  readonly options: ClientOptions;
  readonly place: Place;
}

/** For the first record to come. */
const waitMs = 500;

/**
 * Opens a topic for one follower, and makes it when it is not there. Each partition is asked for over a connection of its own, where a
 * request may wait at the broker and hold up no other: a record is handed over when it comes.
 *
 * @param name the topic as its followers know it.
 */
export async function openFollowedTopic(
  topic: string,
  name: string,
  { topics, reader, options, place }: FollowedTopicDeps,
): Promise<FollowedTopic> {
  await topics.ensure(topic, isCompacted(name));
  const id = await topics.idOf(topic);
  const positions = await reader.positions(topic);
  const consumers = positions.map(() => new Consumer({ ...options, groupId: "heddle-follower" }));
  const fetch = async (
    partition: number,
    offset: number,
    signal: AbortSignal,
  ): Promise<readonly LogRecord[]> => {
    const consumer = consumers[partition];
    for (let at = offset; consumer !== undefined && !signal.aborted;) {
      const wanted = [{ partition, offset: at }];
      const fetching = fetchRecords({ consumer, options }, topic, name, wanted, waitMs);
      const [fetched] = await orAborted(fetching, signal);
      if (fetched !== undefined && fetched.records.length > 0) return fetched.records;
      at = fetched?.next ?? at;
    }
    return [];
  };
  return {
    now: { id, positions },
    take: async (partition, offset, signal) => {
      try {
        return await fetch(partition, offset, signal);
      } catch (error) {
        if (!hasApiId(error, "OFFSET_OUT_OF_RANGE")) throw kafkaError(error, { ...place, topic });
        throw offsetGone(name, partition, offset, await reader.position(topic, partition));
      }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(consumers.map((consumer) => consumer.close(true)));
    },
  };
}
