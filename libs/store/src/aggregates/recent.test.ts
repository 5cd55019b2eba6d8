import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { countCalls, temporaryFolder } from "@heddle/testkit";
import type { Aggregate } from "./aggregate.ts";
import { type Aggregates, openAggregates } from "./aggregates.ts";
import { openLmdbEnvironment } from "../lmdb/environment.ts";
import { openLmdbStore } from "../lmdb/lmdb.ts";
import type { Documents } from "../port.ts";
import { openRecent } from "./recent.ts";
import { type OutboxRecord, relayOutbox } from "./relay.ts";

interface Model {
  readonly versions: number;
}

const event = { topic: "heddle.models.v1", type: "heddle.registry.v1.VersionAdded", data: {} };
const created = { state: { versions: 0 }, events: [event] };
const add = ({ versions }: Model) => ({
  state: { versions: versions + 1 },
  events: [event],
  result: versions + 1,
});
const same = (state: Model) => ({ state, events: [], result: state.versions });
const asked = (requestId: string, request: unknown = {}) => ({ requestId, request, actor: "test" });

/** One collection, as several processes see it, each counting what it asks of the store. */
function openPlace() {
  const folder = temporaryFolder("recent");
  const environment = openLmdbEnvironment({ path: folder.file("store"), mapBytesMax: 64 << 20 });
  const store = openLmdbStore(environment, "registry");
  return {
    openProcess: (): {
      readonly models: Aggregates<Model>;
      readonly calls: Map<string, number>;
    } => {
      const calls = new Map<string, number>();
      const documents: Documents<Aggregate<Model>> = store.collection("models");
      const deps = { noun: "model", clock: systemClock, random: () => 0.5 };
      return { models: openAggregates(countCalls(documents, calls), deps), calls };
    },
    [Symbol.asyncDispose]: async () => {
      await environment[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

test("a change of what this process saw last is one write, and its event's way to the log is another", async () => {
  await using place = openPlace();
  const { models, calls } = place.openProcess();
  const changes = 10;
  const relayed: OutboxRecord[] = [];
  const all = Promise.withResolvers<void>();
  const append = async (_topic: string, records: readonly OutboxRecord[]): Promise<void> => {
    relayed.push(...records);
    if (relayed.length === 1 + changes) all.resolve();
  };
  const deps = {
    ...{ service: "registry", clock: systemClock, random: () => 0.5, pollMs: 60_000 },
    log: { warn: () => assert.fail("the log takes all") },
  };
  const stop = new AbortController();
  await models.create("m", created, asked("0"));
  const relay = relayOutbox([models.outbox], { append }, deps, stop.signal);
  for (let n = 1; n <= changes; n++) await models.update("m", add, asked(`${n}`));
  await all.promise;
  stop.abort();
  await relay;
  // The relay looks once for what a process before it left.
  assert.deepEqual([calls.get("get"), calls.get("pending")], [undefined, 1]);
  const puts = calls.get("put") ?? 0;
  assert.ok(puts <= 2 * (1 + changes), `${puts} writes for ${changes} changes`);
  assert.deepEqual(
    relayed.map(({ headers }) => headers["ce_id"]),
    Array.from({ length: 1 + changes }, (_, n) => `m/${n + 1}/0`),
  );
  assert.deepEqual(await models.outbox.pending(1), []);
});

test("what another process changed is neither overwritten nor answered from memory", async () => {
  await using place = openPlace();
  const [{ models: a, calls }, { models: b }] = [place.openProcess(), place.openProcess()];
  await a.create("m", created, asked("0"));
  const { revision } = await b.update("m", add, asked("1", { by: "b" }));
  // A write on what it remembers is refused, and starts over on what is stored.
  assert.equal((await a.update("m", add, asked("2"))).result, 2);
  await b.update("m", add, asked("3"), { fence: 7 });
  // No change, refusals and repeats are answered from what is stored.
  assert.equal((await a.update("m", same, asked("4"))).result, 3);
  const noLess = ({ versions }: Model) => {
    if (versions < 4) throw new RangeError(`only ${versions}`);
    return same({ versions });
  };
  await b.update("m", add, asked("5"), { fence: 7 });
  assert.equal((await a.update("m", noLess, asked("6"))).result, 4);
  await assert.rejects(a.update("m", add, asked("7"), { fence: 6 }), { reason: "FENCED" });
  await assert.rejects(a.update("m", add, asked("8"), { expected: revision }), {
    reason: "STALE_ETAG",
  });
  await b.update("m", add, asked("9", { by: "b" }));
  const repeat = await a.update("m", add, asked("9", { by: "b" }));
  assert.deepEqual([repeat.repeated, repeat.result, repeat.state.versions], [true, 5, 5]);
  assert.equal((await a.get("m"))?.state.versions, 5);
  assert.ok((calls.get("get") ?? 0) > 0);
});

test("what was read before a write does not take its place", () => {
  const recent = openRecent<string>();
  const old = { key: "m", value: "old", revision: 1 };
  recent.keep(old);
  recent.keep({ key: "m", value: "new", revision: 2 });
  recent.keep(old);
  assert.equal(recent.get("m")?.value, "new");
});

test("what was seen long ago is read again", async () => {
  await using place = openPlace();
  const { models, calls } = place.openProcess();
  const ids = Array.from({ length: 33 }, (_, n) => `m${n}`);
  for (const id of ids) await models.create(id, created, asked("0"));
  await models.update("m32", add, asked("1"));
  assert.equal(calls.get("get"), undefined);
  await models.update("m0", add, asked("1"));
  assert.equal(calls.get("get"), 1);
});
