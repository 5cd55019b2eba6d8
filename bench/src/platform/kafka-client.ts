import type { Consumer, ConsumerRunConfig } from "kafkajs";

/** A topic of the bench, and how much goes through it. */
export interface Load {
  readonly url: string;
  readonly topic: string;
  readonly partitions: number;
  readonly events: number;
}

/** A Kafka client that is measured: all append the same events with the same promises, and read them in a group of their own. */
export interface KafkaClient {
  /** Sends batch after batch, one under way: idempotent, acknowledged by all replicas. */
  produce(load: Load, batches: Iterable<readonly BenchEvent[]>): Promise<void>;
  /** Reads from the beginning until it has them all, and moves its offsets as it goes. */
  consume(load: Load): Promise<void>;
}

export interface BenchEvent {
  readonly key: string;
  readonly value: Buffer;
}

const batchEvents = 500;
const eventBytes = 1_024;

/** JSON of 1 KB, of which about half is chance. */
export function* eventBatches(events: number): Iterable<readonly BenchEvent[]> {
  let state = 1;
  const next = (): number => (state = Math.imul(state, 0x5bd1e995) ^ (state >>> 13)) >>> 0;
  for (let from = 0; from < events; from += batchEvents) {
    yield Array.from({ length: Math.min(batchEvents, events - from) }, (_, n) => {
      const id = from + n;
      const chance = Array.from({ length: 64 }, () => next().toString(36).padStart(7, "0")).join(
        "",
      );
      const json = JSON.stringify({ id, user: `u${id % 5_000}`, item: `i${next() % 900}`, chance });
      return { key: `u${id % 5_000}`, value: Buffer.from(json.padEnd(eventBytes, " ")) };
    });
  }
}

/** What clients with the interface of kafkajs consume by. */
interface Reading<About> extends Pick<Consumer, "connect" | "disconnect"> {
  subscribe(about: About): Promise<void>;
  run(config: Pick<ConsumerRunConfig, "eachBatch">): Promise<void>;
}

/** Reads until so many events have come. */
export async function readAll<About>(
  consumer: Reading<About>,
  about: About,
  events: number,
): Promise<void> {
  await consumer.connect();
  await consumer.subscribe(about);
  const all = Promise.withResolvers<void>();
  let come = 0;
  await consumer.run({
    eachBatch: async ({ batch }) => {
      come += batch.messages.length;
      if (come >= events) all.resolve();
    },
  });
  await all.promise;
  await consumer.disconnect();
}
