import assert from "node:assert/strict";
import { HeddleError } from "@heddle/base";
import type { EventLog, Follower, LogRecord, TopicNow } from "./port.ts";
import { onlineTopic } from "./topics.ts";

/** The part of the contract that is for consumers who keep their own offsets. */
export function followContract(
  check: (claim: string, body: (log: EventLog) => Promise<void>) => void,
): void {
  check("a follower gets what is there and what comes, from where it says", async (log) => {
    await log.append("t", ["a", "b", "c"].map(record));
    const follower = followFrom(log, [1]);
    await follower.holds(2);
    await log.append("t", [record("d")]);
    await follower.holds(3);
    await follower.end();
    assert.deepEqual(follower.keys, ["b", "c", "d"]);
    assert.deepEqual(follower.begun[0]?.positions, [{ start: 0, end: 3 }]);
    const again = followFrom(log, [3]);
    await again.holds(1);
    await again.end();
    assert.deepEqual([again.keys, again.begun[0]?.id], [["d"], follower.begun[0]?.id]);
  });

  check("a topic that nobody appended to can be followed", async (log) => {
    const follower = followFrom(log, [0]);
    await follower.begins();
    assert.deepEqual(follower.begun[0]?.positions, [{ start: 0, end: 0 }]);
    await log.append("t", [record("a")]);
    await follower.holds(1);
    await follower.end();
  });

  check("a follower that wants what is not there is told so", async (log) => {
    await log.append("t", ["a", "b", "c"].map(record));
    await log.trim("t", 0, 2);
    for (const [offset, message] of [
      [1, /offset 1 .* no longer in the log, which begins at 2/],
      [4, /offset 4 .* not in the log, which ends at 3: .* or begin anew at 2/],
    ] as const) {
      await assert.rejects(followFrom(log, [offset]).ended(), { reason: "OFFSET_GONE", message });
    }
  });

  check(
    "a follower that fails in passing begins again, and one that fails otherwise ends",
    async (log) => {
      await log.append("t", ["a", "b"].map(record));
      const failures = [new HeddleError("UNAVAILABLE", "AWAY", "away"), new Error("broken")];
      const follower = followFrom(log, [0], () => {
        throw failures.shift() ?? new Error("asked once more");
      });
      await assert.rejects(follower.ended(), /broken/);
      assert.equal(follower.begun.length, 2);
    },
  );

  check("of a compacted topic an empty value is handed over as one", async (log) => {
    await log.append(onlineTopic, [record("a"), { ...record("a"), value: new Uint8Array() }]);
    const values: number[] = [];
    const both = Promise.withResolvers<void>();
    const stop = new AbortController();
    const handle = async (_: number, records: readonly LogRecord[]): Promise<void> => {
      values.push(...records.map(({ value }) => value.length));
      if (values.length === 2) both.resolve();
    };
    const running = log.follow(onlineTopic, { begin: async () => [0], handle }, stop.signal);
    await both.promise;
    stop.abort();
    await running;
    assert.deepEqual(values, ["value of a".length, 0]);
  });
}

export function record(key: string) {
  return { key, value: new TextEncoder().encode(`value of ${key}`), headers: { ce_id: key } };
}

/** Follows until it is ended; `handle` runs before the records count. */
function followFrom(log: EventLog, offsets: readonly number[], handle = (): void => undefined) {
  const keys: string[] = [];
  const begun: TopicNow[] = [];
  const stop = new AbortController();
  const waiting = new Set<() => void>();
  const until = (done: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => (done() ? resolve() : undefined);
      waiting.add(look);
      look();
    });
  const look = (): void => waiting.forEach((each) => each());
  const follower: Follower = {
    begin: async (now) => {
      begun.push(now);
      look();
      return offsets;
    },
    handle: async (_, records) => {
      handle();
      keys.push(...records.map(({ key }) => key));
      look();
    },
  };
  const running = log.follow("t", follower, stop.signal);
  running.catch(() => undefined);
  const count = (n: number) => until(() => keys.length >= n);
  return {
    ...{ keys, begun },
    begins: () => Promise.race([until(() => begun.length > 0), running]),
    holds: (n: number) => Promise.race([count(n), running]),
    end: async () => {
      stop.abort();
      await running;
    },
    /** Ends by itself. */
    ended: () => running,
  };
}
