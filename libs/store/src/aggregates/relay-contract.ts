import assert from "node:assert/strict";
import { type Clock, HeddleError, systemClock } from "@heddle/base";
import type { Aggregate } from "./aggregate.ts";
import { type Aggregates, openAggregates } from "./aggregates.ts";
import { encodeValue } from "../bounds.ts";
import type { ChangeContext } from "./change-context.ts";
import { documentBytesMax, type Documents } from "../port.ts";
import { entryOf, type OutboxRecord, relayOutbox, verifyChain } from "./relay.ts";

export interface Model {
  readonly name: string;
  readonly versions: number;
}

export const clock: Clock = { ...systemClock, now: () => 1_700_000_000_000 };

export function asked(requestId: string, request: unknown = {}): ChangeContext {
  return { requestId, request, actor: "spiffe://test/learner", traceparent: "00-1-2-01" };
}
export function event(type: string) {
  return { topic: "heddle.models.v1", type: `heddle.registry.v1.${type}`, data: { type } };
}
export const created = { state: { name: "m", versions: 0 }, events: [event("ModelCreated")] };
export const addVersion = (state: Model) => ({
  state: { ...state, versions: state.versions + 1 },
  events: [event("VersionAdded")],
  result: state.versions + 1,
});

/**
 * The part of the contract that is for what tells the log of changes.
 *
 * @param documents opens a collection that nobody else uses.
 */
export function relayContract(
  check: (claim: string, body: () => Promise<void>) => void,
  documents: () => Documents<Aggregate<Model>>,
): void {
  const models = (): Aggregates<Model> =>
    openAggregates(documents(), { noun: "model", clock, random: () => 0.5 });

  check(
    "the relay publishes in order, at once after a write, and survives a log that refuses",
    async () => {
      const all = models();
      await all.create("m", created, asked("1"));
      const records: OutboxRecord[] = [];
      const stop = new AbortController();
      const reached = Promise.withResolvers<void>();
      let refusals = 2;
      let warnings = 0;
      const sink = {
        append: async (_topic: string, batch: readonly OutboxRecord[]) => {
          refusals -= 1;
          if (refusals === 1) throw new Error("the log is away");
          if (refusals === 0) throw new HeddleError("UNAVAILABLE", "LOG_AWAY", "it is away");
          records.push(...batch);
          if (records.length === 4) reached.resolve();
        },
      };
      const deps = {
        service: "registry",
        clock,
        random: () => 0.5,
        log: { warn: () => void (warnings += 1) },
        pollMs: 60_000,
        backoff: { initialMs: 1, maxMs: 2, multiplier: 2, jitter: 0 },
      };
      const relay = relayOutbox([all.outbox], sink, deps, stop.signal);
      await all.update("m", addVersion, asked("2"));
      const twoEvents = (state: Model) => ({
        ...addVersion(state),
        events: ["VersionAdded", "VersionNamed"].map(event),
      });
      await all.update("m", twoEvents, asked("3"));
      await reached.promise;
      stop.abort();
      await relay;
      assert.equal(warnings, 2);
      assert.deepEqual(
        records.map((r) => r.headers["ce_id"]),
        ["m/1/0", "m/2/0", "m/3/0", "m/3/1"],
      );
      assert.equal(records[0]?.headers["traceparent"], "00-1-2-01");
      assert.equal(verifyChain(records.map(entryOf)).length, 64);
    },
  );

  check(
    "a log that says it is away is asked again soon, and its aggregate is not at fault",
    async () => {
      const all = models();
      await all.create("m", created, asked("1"));
      const stop = new AbortController();
      const reached = Promise.withResolvers<void>();
      let tries = 0;
      const append = async (): Promise<void> => {
        tries += 1;
        if (tries < 3) throw new HeddleError("UNAVAILABLE", "LOG_AWAY", "it is away");
        reached.resolve();
      };
      const deps = {
        ...{ service: "registry", clock, random: () => 0.5, pollMs: 60_000 },
        log: { warn: () => undefined },
        backoff: { initialMs: 1, maxMs: 2, multiplier: 2, jitter: 0 },
      };
      const relay = relayOutbox([all.outbox], { append }, deps, stop.signal);
      const late = clock.sleep(20_000, stop.signal).then(() => assert.fail("not asked again"));
      await Promise.race([reached.promise, late]);
      late.catch(() => undefined);
      stop.abort();
      await relay;
    },
  );

  check("more aggregates than one look finds are relayed before the next look", async () => {
    const shared = documents();
    const [before, own] = [1, 2].map(() =>
      openAggregates(shared, { noun: "model", clock, random: () => 0.5 }),
    ) as [Aggregates<Model>, Aggregates<Model>];
    const create = (all: Aggregates<Model>, name: string, count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, n) => all.create(`${name} ${n}`, created, asked("1"))),
      );
    const relayed = new Set<string>();
    const reached = async (count: number): Promise<void> => {
      while (relayed.size < count) await clock.sleep(1, stop.signal);
    };
    let gate = Promise.resolve();
    const append = async (_topic: string, records: readonly OutboxRecord[]): Promise<void> => {
      for (const { key } of records) relayed.add(key);
      await gate;
    };
    const deps = {
      ...{ service: "registry", clock, random: () => 0.5, pollMs: 60_000 },
      log: { warn: () => assert.fail("the log takes all") },
    };
    const stop = new AbortController();
    await create(before, "before", 101);
    const relay = relayOutbox([own.outbox], { append }, deps, stop.signal);
    await reached(101);
    // While the log is slow, more change than the relay keeps in mind.
    const open = Promise.withResolvers<void>();
    gate = open.promise;
    await create(own, "first", 1);
    await reached(102);
    await create(own, "while", 101);
    open.resolve();
    await reached(203);
    stop.abort();
    await relay;
  });

  check("an aggregate whose events no log takes is told of, and holds up no other", async () => {
    const all = models();
    for (const id of ["bad", "good"]) await all.create(id, created, asked("1"));
    const stop = new AbortController();
    const reached = Promise.withResolvers<void>();
    const [relayed, warnings]: [string[], unknown[]] = [[], []];
    const append = async (_topic: string, records: readonly OutboxRecord[]): Promise<void> => {
      const [key = ""] = records.map((one) => one.key);
      // As a log refuses a record that is too large.
      if (key === "bad") encodeValue("its record", "x".repeat(documentBytesMax));
      // Once more after the first look, at which "bad" was told of.
      if (relayed.push(key) === 2) reached.resolve();
    };
    const deps = {
      ...{ service: "registry", clock, random: () => 0.5, pollMs: 60_000 },
      log: { warn: (facts: object) => void warnings.push(facts) },
    };
    const relay = relayOutbox([all.outbox], { append }, deps, stop.signal);
    while (warnings.length === 0) await clock.sleep(1, stop.signal);
    await all.update("good", addVersion, asked("2"));
    await reached.promise;
    stop.abort();
    await relay;
    assert.deepEqual(relayed, ["good", "good"]);
    assert.equal(warnings.length, 1);
    assert.match(JSON.stringify(warnings), /"model bad: its record would have \d+ bytes/);
    assert.equal((await all.outbox.read("bad")).entries.length, 1);
  });

  check("a changed, dropped or reordered audit record breaks the chain", async () => {
    const all = models();
    await all.create("m", created, asked("1"));
    for (const id of ["2", "3"]) await all.update("m", addVersion, asked(id));
    const [a, b, c] = (await all.outbox.read("m")).entries;
    assert.ok(a && b && c);
    for (const bad of [
      [a, c],
      [b, a, c],
      [{ ...a, actor: "x" }, b, c],
    ]) {
      assert.throws(() => verifyChain(bad), { code: "DATA_LOSS", reason: "CHAIN_BROKEN" });
    }
  });
}
