import type { LogRecord } from "../../port.ts";
import { type FetchClient, fetchRecords } from "./fetch.ts";

/** What the partitions of one consumer wait for, asked for together: one request waits at the broker for all of them. */
export interface PendingFetches {
  /** Records from `offset` on; none when the signal aborts. Rejects when the broker does. */
  take(partition: number, offset: number, signal: AbortSignal): Promise<readonly LogRecord[]>;
}

/** A partition that asks while a request waits is heard after it. */
const waitMs = 100;

interface Pending {
  offset: number;
  readonly answer: PromiseWithResolvers<readonly LogRecord[]>;
}

/** @param client of this use alone. */
export function openPendingFetches(
  client: FetchClient,
  topic: string,
  name: string,
): PendingFetches {
  const pending = new Map<number, Pending>();
  let running = false;
  const run = async (): Promise<void> => {
    while (pending.size > 0) {
      const asked = [...pending];
      try {
        const wanted = asked.map(([partition, { offset }]) => ({ partition, offset }));
        for (const { partition, records, next } of await fetchRecords(
          client,
          topic,
          name,
          wanted,
          waitMs,
        )) {
          const one = pending.get(partition);
          if (one === undefined) continue;
          one.offset = next;
          if (records.length === 0) continue;
          pending.delete(partition);
          one.answer.resolve(records);
        }
      } catch (error) {
        for (const [partition, { answer }] of asked) {
          pending.delete(partition);
          answer.reject(error);
        }
      }
    }
    running = false;
  };
  return {
    take: (partition, offset, signal) => {
      if (signal.aborted) return Promise.resolve([]);
      const answer = Promise.withResolvers<readonly LogRecord[]>();
      pending.set(partition, { offset, answer });
      const stop = (): void => {
        if (pending.get(partition)?.answer === answer) pending.delete(partition);
        answer.resolve([]);
      };
      signal.addEventListener("abort", stop, { once: true });
      const off = () => signal.removeEventListener("abort", stop);
      answer.promise.then(off, off);
      if (!running) {
        running = true;
        void run();
      }
      return answer.promise;
    },
  };
}
