import assert from "node:assert/strict";
import { test } from "node:test";
import { followContract, record } from "./follow-contract.ts";
import { type EventLog, type LogRecord, recordBytesMax } from "./port.ts";

/**
 * What every event log promises.
 *
 * @param open opens the log of a place: the same place twice shows the same topics.
 */
export function eventLogContract(
  name: string,
  open: (place: string) => Promise<EventLog>,
  options: { readonly skip?: string | false } = {},
): void {
  let places = 0;
  const check = (claim: string, body: (log: EventLog, place: string) => Promise<void>): void => {
    test(`${name}: ${claim}`, { skip: options.skip ?? false, timeout: 30_000 }, async () => {
      const place = `place-${(places += 1)}`;
      await using log = await open(place);
      await body(log, place);
    });
  };

  check("records read back in order, whole, with their offsets", async (log) => {
    await log.append("t.v1", [record("a"), record("b")]);
    await log.append("t.v1", [record("c")]);
    await log.append("t.v1", []);
    const all = await log.read("t.v1", 0, 0, 10);
    assert.deepEqual(
      all.map((r) => [r.topic, r.partition, r.offset, r.key]),
      [
        ["t.v1", 0, 0, "a"],
        ["t.v1", 0, 1, "b"],
        ["t.v1", 0, 2, "c"],
      ],
    );
    assert.deepEqual(all[1]?.headers, { ce_id: "b" });
    assert.deepEqual(all[1]?.value, new TextEncoder().encode("value of b"));
    assert.deepEqual(
      (await log.read("t.v1", 0, 1, 1)).map((r) => r.key),
      ["b"],
    );
    assert.deepEqual(await log.read("t.v1", 0, 3, 1), []);
    assert.deepEqual(await log.topics(), ["t.v1"]);
  });

  check("what is trimmed is refused by its offset, and what is left keeps its own", async (log) => {
    assert.deepEqual(await log.positions("t"), []);
    await log.append("t", ["a", "b", "c", "d"].map(record));
    await log.trim("t", 0, 2);
    await log.trim("t", 0, 1);
    assert.deepEqual(await log.positions("t"), [{ start: 2, end: 4 }]);
    const left = await log.read("t", 0, 2, 10);
    assert.deepEqual(
      left.map((r) => [r.offset, r.key]),
      [
        [2, "c"],
        [3, "d"],
      ],
    );
    await assert.rejects(log.read("t", 0, 1, 10), {
      code: "OUT_OF_RANGE",
      reason: "OFFSET_GONE",
      message: /offset 1 of topic t, partition 0, .* begins at 2: go on from 2/,
    });
    await log.trim("t", 0, 9);
    await log.append("t", [record("e")]);
    assert.deepEqual(await log.positions("t"), [{ start: 4, end: 5 }]);
  });

  check(
    "concurrent appends keep each batch together and give every record an offset",
    async (log) => {
      const batches = Array.from({ length: 50 }, (_, n) => [record(`${n}/0`), record(`${n}/1`)]);
      await Promise.all(batches.map((batch) => log.append("t", batch)));
      const all = await log.read("t", 0, 0, 1_000);
      assert.deepEqual(
        all.map((r) => r.offset),
        Array.from({ length: 100 }, (_, n) => n),
      );
      for (let at = 0; at < 100; at += 2) {
        assert.equal(all[at]?.key.split("/")[0], all[at + 1]?.key.split("/")[0]);
      }
    },
  );

  check(
    "a batch with a record above the limit is refused whole, as are bad names and limits",
    async (log) => {
      const large = { ...record("b"), value: new Uint8Array(recordBytesMax) };
      const refused = { code: "INVALID_ARGUMENT", reason: "RECORD_TOO_LARGE" };
      await assert.rejects(log.append("t", [record("a"), large]), refused);
      assert.deepEqual(await log.read("t", 0, 0, 10), []);
      await assert.rejects(log.append("t/u", [record("a")]), { reason: "TOPIC_INVALID" });
      await assert.rejects(log.read("t", 0, 0, 0), { reason: "LIMIT_INVALID" });
    },
  );

  check("a subscriber gets what is there and what comes, in order", async (log) => {
    await log.append("t", [record("a"), record("b")]);
    const group = collect(log, "g", 4);
    await group.holds(2);
    await log.append("t", [record("c"), record("d")]);
    await group.end();
    assert.deepEqual(group.keys, ["a", "b", "c", "d"]);
  });

  check(
    "a group goes on where it ended, and another group starts at the beginning",
    async (log) => {
      await log.append("t", [record("a"), record("b")]);
      await collect(log, "g", 2).end();
      await log.append("t", [record("c")]);
      const again = collect(log, "g", 1);
      await again.end();
      assert.deepEqual(again.keys, ["c"]);
      const other = collect(log, "h", 3);
      await other.end();
      assert.deepEqual(other.keys, ["a", "b", "c"]);
    },
  );

  check("a new group begins where the partition does", async (log) => {
    await log.append("t", ["a", "b", "c"].map(record));
    await log.trim("t", 0, 2);
    const late = collect(log, "late", 1);
    await late.end();
    assert.deepEqual(late.keys, ["c"]);
  });

  check("two consumers of one group share the records, each once", async (log) => {
    await log.append(
      "t",
      Array.from({ length: 20 }, (_, n) => record(`${n}`)),
    );
    const seen: string[] = [];
    const all = Promise.withResolvers<void>();
    const stop = new AbortController();
    const handle = async (r: LogRecord): Promise<void> => {
      if (seen.push(r.key) === 20) all.resolve();
    };
    const subscribe = () => log.subscribe({ topic: "t", group: "g" }, handle, stop.signal);
    const both = [subscribe(), subscribe()];
    await all.promise;
    stop.abort();
    await Promise.all(both);
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, (_, n) => `${n}`),
    );
  });

  check(
    "a failing record is tried again, then goes to the dead letters with its reason",
    async (log) => {
      await log.append("t", [record("a"), record("bad"), record("c")]);
      const tries: string[] = [];
      const reached = Promise.withResolvers<void>();
      const stop = new AbortController();
      const handle = async (r: LogRecord): Promise<void> => {
        tries.push(r.key);
        if (r.key === "c") reached.resolve();
        if (r.key === "bad") throw new Error("cannot read it");
      };
      const options = { topic: "t", group: "g", triesMax: 2 };
      const subscription = log.subscribe(options, handle, stop.signal);
      await reached.promise;
      stop.abort();
      await subscription;
      assert.deepEqual(tries, ["a", "bad", "bad", "c"]);
      const [dead] = await log.read("t.dead-letter", 0, 0, 10);
      assert.equal(dead?.key, "bad");
      assert.equal(dead.headers["dead_letter_reason"], "cannot read it");
      assert.equal(dead.headers["dead_letter_tries"], "2");
      assert.equal(dead.headers["dead_letter_offset"], "1");
      assert.equal(dead.headers["ce_id"], "bad");
    },
  );

  check("records of no use lie among the dead letters, the largest too", async (log) => {
    await log.append("t", [record("a"), record("b")]);
    const [, second] = await log.read("t", 0, 0, 2);
    const largest = { ...second!, value: new Uint8Array(recordBytesMax - 100) };
    await log.deadLetter("t", [{ record: largest, reason: "WHY: so" }]);
    const [letter] = await log.read("t.dead-letter", 0, 0, 1);
    assert.equal(letter?.key, "b");
    assert.equal(letter.value.length, largest.value.length);
    assert.deepEqual(letter.headers, {
      ...second!.headers,
      dead_letter_reason: "WHY: so",
      dead_letter_topic: "t",
      dead_letter_partition: "0",
      dead_letter_offset: "1",
    });
    await log.deadLetter("t", []);
  });

  check(
    "stopping in the middle of a record hands it over again, and counts no try",
    async (log) => {
      await log.append("t", [record("a")]);
      const stop = new AbortController();
      const handle = async (_: LogRecord, signal: AbortSignal): Promise<void> => {
        stop.abort();
        signal.throwIfAborted();
      };
      await log.subscribe({ topic: "t", group: "g", triesMax: 1 }, handle, stop.signal);
      const again = collect(log, "g", 1);
      await again.end();
      assert.deepEqual(again.keys, ["a"]);
      assert.deepEqual(await log.read("t.dead-letter", 0, 0, 1), []);
    },
  );

  followContract(check);

  check("records and offsets outlive the log that wrote them", async (log, place) => {
    await log.append("t", [record("a"), record("b")]);
    await collect(log, "g", 1).end();
    await log[Symbol.asyncDispose]();
    await using again = await open(place);
    await again.append("t", [record("c")]);
    assert.deepEqual(
      (await again.read("t", 0, 0, 10)).map((r) => r.key),
      ["a", "b", "c"],
    );
    const rest = collect(again, "g", 1);
    await rest.end();
    assert.ok(["b", "c"].includes(rest.keys[0] ?? ""), `${rest.keys}`);
  });
}

/** Subscribes until it has `count` records and is told to end. */
function collect(log: EventLog, group: string, count: number) {
  const keys: string[] = [];
  const stop = new AbortController();
  const gates = new Map<number, () => void>();
  const holds = (n: number): Promise<void> =>
    new Promise((resolve) => (keys.length >= n ? resolve() : gates.set(n, resolve)));
  const handle = async (r: LogRecord): Promise<void> => {
    keys.push(r.key);
    gates.get(keys.length)?.();
    if (keys.length === count) stop.abort();
  };
  const running = log.subscribe({ topic: "t", group }, handle, stop.signal);
  return { keys, holds, end: () => running };
}
