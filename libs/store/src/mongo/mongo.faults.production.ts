import assert from "node:assert/strict";
import { test } from "node:test";
import { isHeddleError, seededRandom, systemClock } from "@heddle/base";
import { databaseForTests } from "./fixtures/place.ts";
import { type Proxy, startProxy } from "./fixtures/proxy.ts";
import { openMongo } from "./connection.ts";
import { openMongoStore } from "./mongo-store.ts";
import type { MongoLimits } from "./runs.ts";
import { writesKept } from "./stored.ts";

interface Note {
  readonly n: number;
  /** Of `n`, by writer. */
  readonly by?: readonly number[];
}

const database = await databaseForTests();
const { skip } = database;
const conflict = { code: "ABORTED", reason: "REVISION_CONFLICT" };
let services = 0;

/** The same documents by way of a proxy, and directly. */
async function openBoth(limits: Partial<MongoLimits> = {}) {
  const stack = new AsyncDisposableStack();
  const proxy = stack.use(await startProxy(database.url));
  const options = { clock: systemClock, random: Math.random, limits };
  const far = stack.use(await openMongo({ url: proxy.url, ...options }));
  const near = stack.use(await database.open());
  const service = `faults-${(services += 1)}`;
  const notes = openMongoStore(far, service).collection<Note>("notes");
  const direct = openMongoStore(near, service).collection<Note>("notes");
  return { proxy, notes, direct, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** The next such command meets this, once. */
function once(proxy: Proxy, name: string, fate: "unheard" | "unsent"): void {
  let met = false;
  proxy.decide((command) => {
    if (met || command !== name) return "pass";
    met = true;
    return fate;
  });
}

for (const fate of ["unheard", "unsent"] as const) {
  test(
    `a write whose connection breaks is done once, whether it was sent or not (${fate})`,
    { skip },
    async () => {
      await using both = await openBoth();
      const { proxy, notes, direct } = both;
      await notes.get("a");
      once(proxy, "insert", fate);
      assert.equal(await notes.put("a", { n: 1 }, 0, { pending: true }), 1);
      once(proxy, "update", fate);
      assert.equal(await notes.put("a", { n: 2 }, 1), 2);
      assert.deepEqual(await direct.get("a"), { key: "a", value: { n: 2 }, revision: 2 });
      once(proxy, "delete", fate);
      await notes.delete("a", 2);
      assert.equal(await direct.get("a"), undefined);
      once(proxy, "find", fate);
      assert.equal(await notes.get("a"), undefined);
    },
  );
}

test(
  "a write that was done unheard is known again under the writes that came after it",
  { skip },
  async () => {
    await using both = await openBoth();
    const { proxy, notes, direct } = both;
    for (const later of [1, writesKept - 1]) {
      const key = `a${later}`;
      await notes.put(key, { n: 0 }, 0);
      const others = Promise.withResolvers<void>();
      unheardThenHeldUp(proxy, others.promise);
      const mine = notes.put(key, { n: 1 }, 1);
      await writeSoon(direct, key, later);
      others.resolve();
      assert.equal(await mine, 2);
      assert.equal((await direct.get(key))?.revision, 2 + later);
    }
  },
);

test(
  "a write that more writes followed than a document remembers is called unknown, not refused",
  { skip },
  async () => {
    await using both = await openBoth();
    const { proxy, notes, direct } = both;
    await notes.put("a", { n: 0 }, 0);
    const others = Promise.withResolvers<void>();
    unheardThenHeldUp(proxy, others.promise);
    const mine = notes.put("a", { n: 1 }, 1);
    const unknown = assert.rejects(mine, { code: "UNAVAILABLE", reason: "WRITE_OUTCOME_UNKNOWN" });
    await writeSoon(direct, "a", writesKept);
    others.resolve();
    await unknown;
  },
);

test("another's write that came before a broken one is a conflict", { skip }, async () => {
  await using both = await openBoth();
  const { proxy, notes, direct } = both;
  await notes.put("a", { n: 0 }, 0);
  once(proxy, "update", "unsent");
  await direct.put("a", { n: 9 }, 1);
  await assert.rejects(notes.put("a", { n: 1 }, 1), conflict);
  await direct.put("b", { n: 9 }, 0);
  once(proxy, "insert", "unsent");
  await assert.rejects(notes.put("b", { n: 1 }, 0), conflict);
  assert.deepEqual(
    (await direct.list()).items.map(({ value }) => value.n),
    [9, 9],
  );
});

/** Of the next update the answer is lost, and its repeat waits until the others have written. */
function unheardThenHeldUp(proxy: Proxy, others: Promise<void>): void {
  let updates = 0;
  let open = false;
  void others.then(() => (open = true));
  proxy.decide((command) => {
    if (command !== "update" || open) return "pass";
    updates += 1;
    return updates === 1 ? "unheard" : "unsent";
  });
}

/** Writes so often as soon as the document has left revision 1. */
async function writeSoon(
  notes: Awaited<ReturnType<typeof openBoth>>["direct"],
  key: string,
  times: number,
): Promise<void> {
  while ((await notes.get(key))?.revision !== 2)
    await new Promise((resolve) => setTimeout(resolve, 5));
  for (let n = 0; n < times; n++) await notes.put(key, { n: 100 + n }, 2 + n);
}

test(
  "connections that break at random during the load lose no acknowledged write and repeat none",
  { skip },
  async () => {
    await using both = await openBoth();
    const { proxy, notes, direct } = both;
    const random = seededRandom(26);
    let broken = 0;
    proxy.decide((command) => {
      if (!["insert", "update", "find"].includes(command) || random.next() > 0.15) return "pass";
      broken += 1;
      return random.next() < 0.6 ? "unheard" : "unsent";
    });
    const writers = 8;
    const [counters, each] = [3, 12];
    const counted = new Map<string, number>();
    // What each writer added stands beside the sum, so that one whose write was hidden by others' reads what became of it.
    const none = Array<number>(writers).fill(0);
    for (let c = 0; c < counters; c++) await notes.put(`c${c}`, { n: 0, by: none }, 0);
    const count = async (key: string, w: number): Promise<void> => {
      let before: number | undefined;
      for (;;) {
        const stored = await notes.get(key);
        assert.ok(stored);
        const { n, by = none } = stored.value;
        const mine = by[w] ?? 0;
        if (mine > (before ??= mine)) break;
        try {
          const next = { n: n + 1, by: by.with(w, mine + 1) };
          await notes.put(key, next, stored.revision, { pending: true });
          break;
        } catch (error) {
          const again = ["REVISION_CONFLICT", "WRITE_OUTCOME_UNKNOWN"];
          if (!again.some((reason) => isHeddleError(error, reason))) throw error;
        }
      }
      counted.set(key, (counted.get(key) ?? 0) + 1);
    };
    await Promise.all(
      Array.from({ length: writers }, async (_, w) => {
        for (let n = 0; n < each; n++) await count(`c${(w + n) % counters}`, w);
      }),
    );
    assert.ok(broken > 30, `${broken} connections broke`);
    for (const [key, times] of counted) {
      const stored = await direct.get(key);
      assert.deepEqual([key, stored?.value.n, stored?.revision], [key, times, times + 1]);
    }
    assert.equal(
      [...counted.values()].reduce((a, b) => a + b),
      writers * each,
    );
    assert.equal((await direct.pending(10)).length, counters);
  },
);
