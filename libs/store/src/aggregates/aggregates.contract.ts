import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { HeddleError } from "@heddle/base";
import type { Aggregate } from "./aggregate.ts";
import { type Aggregates, openAggregates } from "./aggregates.ts";
import type { Documents, DocumentStore } from "../port.ts";
import {
  addVersion,
  asked,
  clock,
  created,
  event,
  type Model,
  relayContract,
} from "./relay-contract.ts";
import { verifyChain } from "./relay.ts";

/**
 * What aggregates promise on every document store.
 *
 * @param open opens a store whose collections nobody else uses.
 */
export function aggregatesContract(
  name: string,
  open: () => Promise<DocumentStore>,
  { skip = false }: { readonly skip?: string | false } = {},
): void {
  const check = (claim: string, body: () => Promise<void>): void => {
    test(`${name}: ${claim}`, { skip }, body);
  };
  let store: DocumentStore;
  let collections = 0;
  if (skip === false) {
    before(async () => {
      store = await open();
    });
    after(() => store[Symbol.asyncDispose]());
  }
  const documents = (): Documents<Aggregate<Model>> =>
    store.collection(`models-${(collections += 1)}`);
  const models = (): Aggregates<Model> =>
    openAggregates(documents(), { noun: "model", clock, random: () => 0.5 });

  check("a change carries its state, its event and its audit record in one write", async () => {
    const all = models();
    await all.create("m", created, asked("1"));
    const { state, revision, result } = await all.update("m", addVersion, asked("2"));
    assert.deepEqual([state.versions, revision, result], [1, 2, 1]);
    const entries = (await all.outbox.read("m")).entries;
    assert.deepEqual(
      entries.map((e) => [e.revision, e.requestId, e.type.split(".").at(-1)]),
      [
        [1, "1", "ModelCreated"],
        [2, "2", "VersionAdded"],
      ],
    );
    assert.equal(entries[0]?.digestAfter, entries[1]?.digestBefore);
    assert.equal(verifyChain(entries).length, 64);
  });

  check("a repeated request gets the first answer and leaves no second event", async () => {
    const all = models();
    const first = await all.create("m", created, asked("1", { name: "m", big: 7n }));
    const again = await all.create("m", created, asked("1", { name: "m", big: 7n }));
    assert.deepEqual([first.repeated, again.repeated, again.revision], [false, true, 1]);
    await all.update("m", addVersion, asked("2"));
    await all.update("m", addVersion, asked("3"));
    const repeat = await all.update("m", addVersion, asked("2"));
    assert.deepEqual([repeat.repeated, repeat.result, repeat.state.versions], [true, 1, 2]);
    assert.equal((await all.outbox.read("m")).entries.length, 3);
  });

  check("a request id with another body, and another creation, are refused", async () => {
    const all = models();
    await all.create("m", created, asked("1", { name: "m" }));
    const reused = { code: "ALREADY_EXISTS", reason: "REQUEST_ID_REUSED" };
    await assert.rejects(all.create("m", created, asked("1", { name: "n" })), reused);
    await assert.rejects(all.update("m", addVersion, asked("1", { name: "n" })), reused);
    await assert.rejects(all.create("m", created, asked("2")), { reason: "AGGREGATE_EXISTS" });
    await assert.rejects(all.update("x", addVersion, asked("3")), { reason: "NO_SUCH_AGGREGATE" });
  });

  check(
    "a hundred concurrent changes all happen, each on the state of the one before",
    async () => {
      const all = models();
      await all.create("m", created, asked("0"));
      const ids = Array.from({ length: 100 }, (_, n) => `r${n}`);
      const changed = await Promise.all(ids.map((id) => all.update("m", addVersion, asked(id))));
      const results = changed.map((c) => c.result).sort((a, b) => a - b);
      assert.deepEqual(
        results,
        Array.from({ length: 100 }, (_, n) => n + 1),
      );
      verifyChain((await all.outbox.read("m")).entries);
    },
  );

  check("writers of several processes race, retry, and give up after their tries", async () => {
    const shared = documents();
    const openWith = (triesMax: number) =>
      openAggregates(shared, { noun: "model", clock, random: () => 0.5, triesMax });
    const processes = Array.from({ length: 4 }, () => openWith(200));
    await openWith(1).create("m", created, asked("0"));
    await Promise.all(processes.map((p, n) => p.update("m", addVersion, asked(`r${n}`))));
    assert.equal((await openWith(1).get("m"))?.state.versions, 4);
    // All read before one writes, however fast the store is.
    const allRead = Promise.withResolvers<void>();
    let readers = 0;
    const gathering: typeof shared = {
      ...shared,
      get: async (key) => {
        const stored = await shared.get(key);
        if ((readers += 1) === 4) allRead.resolve();
        await allRead.promise;
        return stored;
      },
    };
    const once = { noun: "model", clock, random: () => 0.5, triesMax: 1 };
    const lost = Promise.allSettled(
      Array.from({ length: 4 }, (_, n) =>
        openAggregates(gathering, once).update("m", addVersion, asked(`s${n}`)),
      ),
    );
    const reasons = (await lost).flatMap((o) =>
      o.status === "rejected" ? [(o.reason as HeddleError).reason] : [],
    );
    assert.deepEqual(reasons, Array(3).fill("REVISION_CONFLICT"));
  });

  check("a lower fencing token is refused once a higher one has driven the aggregate", async () => {
    const all = models();
    await all.create("m", created, asked("1"), { fence: 4 });
    const raise = (state: Model) => ({ state, events: [] });
    assert.equal((await all.update("m", raise, asked("2"), { fence: 5 })).fence, 5);
    const fenced = { code: "ABORTED", reason: "FENCED" };
    await assert.rejects(all.update("m", addVersion, asked("3"), { fence: 4 }), fenced);
    assert.equal((await all.update("m", addVersion, asked("3"), { fence: 5 })).state.versions, 1);
  });

  check("a stale etag is refused, and trimming the outbox does not make one stale", async () => {
    const all = models();
    const { revision } = await all.create("m", created, asked("1"));
    await (await all.outbox.read("m")).trim();
    assert.deepEqual(await all.outbox.pending(10), []);
    await all.update("m", addVersion, asked("2"), { expected: revision });
    const stale = { code: "ABORTED", reason: "STALE_ETAG" };
    await assert.rejects(all.update("m", addVersion, asked("3"), { expected: revision }), stale);
  });

  check(
    "a full outbox refuses changes until the relay has trimmed it; old requests are forgotten",
    async () => {
      const all = models();
      const events = Array.from({ length: 200 }, () => event("VersionAdded"));
      await all.create("m", { ...created, events }, asked("1"));
      const many = (state: Model) => ({ state, events: events.slice(0, 57) });
      const full = { code: "RESOURCE_EXHAUSTED", reason: "OUTBOX_FULL" };
      await assert.rejects(all.update("m", many, asked("2")), full);
      await (await all.outbox.read("m")).trim();
      for (let n = 0; n < 64; n++) await all.update("m", addVersion, asked(`r${n}`));
      assert.equal((await all.update("m", addVersion, asked("r0"))).repeated, true);
      assert.equal((await all.update("m", addVersion, asked("1", {}))).repeated, false);
    },
  );

  check(
    "a decision without a change writes nothing, and a failing one passes its error on",
    async () => {
      const all = models();
      await all.create("m", created, asked("1"));
      const same = await all.update("m", (state) => ({ state, events: [] }), asked("2"));
      assert.equal(same.revision, 1);
      const broken = () => {
        throw new RangeError("no");
      };
      await assert.rejects(all.update("m", broken, asked("3")), RangeError);
      await assert.rejects(
        all.update("m", (s) => ({ state: { ...s, versions: 9 }, events: [] }), asked("4")),
        /has an event/,
      );
    },
  );

  check("a write whose answer was lost is found by its request, and not made again", async () => {
    const shared = documents();
    let lost = 0;
    const losing: typeof shared = {
      ...shared,
      put: async (...given) => {
        const revision = await shared.put(...given);
        if (lost-- <= 0) return revision;
        throw new HeddleError("UNAVAILABLE", "WRITE_OUTCOME_UNKNOWN", "its answer was lost");
      },
    };
    const all = openAggregates(losing, { noun: "model", clock, random: () => 0.5 });
    lost = 1;
    const made = await all.create("m", created, asked("1"));
    lost = 1;
    const { repeated, state } = await all.update("m", addVersion, asked("2"));
    assert.deepEqual([made.repeated, repeated, state.versions], [true, true, 1]);
    const { entries, trim } = await all.outbox.read("m");
    assert.equal(entries.length, 2);
    lost = 1;
    await trim();
    assert.deepEqual(await all.outbox.pending(1), []);
  });

  relayContract(check, documents);
}
