import assert from "node:assert/strict";
import { test } from "node:test";
import { isHeddleError, systemClock } from "@heddle/base";
import type { Aggregate } from "../aggregates/aggregate.ts";
import { type Aggregates, openAggregates } from "../aggregates/aggregates.ts";
import { type OutboxRecord, entryOf, relayOutbox, verifyChain } from "../aggregates/relay.ts";
import { databaseForTests } from "./fixtures/place.ts";
import { startProxy } from "./fixtures/proxy.ts";
import { openMongo, type MongoConnection } from "./connection.ts";
import { openMongoStore } from "./mongo-store.ts";

interface Model {
  readonly versions: number;
}

const database = await databaseForTests();
const { skip } = database;
const clientsCount = 4;

/** Clients with connections of their own, as processes have them. */
async function openClients(stack: AsyncDisposableStack): Promise<readonly MongoConnection[]> {
  const all = Array.from({ length: clientsCount }, () => database.open());
  return (await Promise.all(all)).map((connection) => stack.use(connection));
}

const aggregatesOn = (connection: MongoConnection, service: string): Aggregates<Model> =>
  openAggregates(openMongoStore(connection, service).collection<Aggregate<Model>>("models"), {
    ...{ noun: "model", clock: systemClock, random: Math.random, triesMax: 500 },
  });
const event = { topic: "heddle.models.v1", type: "heddle.registry.v1.VersionAdded", data: {} };
const asked = (requestId: string) => ({ requestId, request: {}, actor: "test" });
const add = ({ versions }: Model) => ({
  state: { versions: versions + 1 },
  events: [event],
  result: versions + 1,
});

test(
  "of several clients that replace the same revision exactly one wins, each time",
  { skip },
  async () => {
    await using stack = new AsyncDisposableStack();
    const clients = await openClients(stack);
    const notes = clients.map((each) =>
      openMongoStore(each, "races").collection<{ by: number }>("notes"),
    );
    for (let revision = 0; revision < 25; revision++) {
      const tries = await Promise.allSettled(
        notes.map((each, by) => each.put("a", { by }, revision)),
      );
      const winners = tries.flatMap((outcome, by) => (outcome.status === "fulfilled" ? [by] : []));
      assert.equal(winners.length, 1);
      for (const outcome of tries) {
        if (outcome.status === "rejected")
          assert.ok(isHeddleError(outcome.reason, "REVISION_CONFLICT"));
      }
      // Every client sees the winner's at once.
      for (const each of notes) {
        assert.deepEqual(await each.get("a"), {
          key: "a",
          value: { by: winners[0] },
          revision: revision + 1,
        });
      }
    }
  },
);

test(
  "changes of several clients all happen, and their events are relayed once, in order, while connections break",
  { skip },
  async () => {
    await using stack = new AsyncDisposableStack();
    const clients = await openClients(stack);
    const proxy = stack.use(await startProxy(database.url));
    const far = stack.use(
      await openMongo({ url: proxy.url, clock: systemClock, random: Math.random }),
    );
    const writers = clients.map((each) => aggregatesOn(each, "relayed"));
    const relayed: OutboxRecord[] = [];
    const stop = new AbortController();
    let commands = 0;
    proxy.decide((command) => {
      if (!["find", "update"].includes(command)) return "pass";
      commands += 1;
      return commands % 3 === 0 ? "unheard" : "pass";
    });
    const sink = {
      append: async (_topic: string, batch: readonly OutboxRecord[]) => void relayed.push(...batch),
    };
    const deps = {
      ...{ service: "registry", clock: systemClock, random: Math.random, pollMs: 20 },
      log: { warn: () => undefined },
    };
    const relay = relayOutbox([aggregatesOn(far, "relayed").outbox], sink, deps, stop.signal);
    const [models, changes] = [["m1", "m2"], 10];
    for (const id of models) {
      await writers[0]?.create(
        id,
        { state: { versions: 0 }, events: [event] },
        asked(`create-${id}`),
      );
    }
    const results = await Promise.all(
      writers.map(async (writer, w) => {
        const mine: string[] = [];
        for (let n = 0; n < changes; n++) {
          const id = models[(w + n) % models.length] ?? "";
          const { result } = await writer.update(id, add, asked(`${w}-${n}`));
          mine.push(`${id}/${result}`);
        }
        return mine;
      }),
    );
    const all = results.flat();
    assert.equal(new Set(all).size, clientsCount * changes);
    while ((await writers[0]?.outbox.pending(1))?.length !== 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    stop.abort();
    await relay;
    assert.ok(commands > 6, `the relay sent ${commands} commands, each third unheard`);
    for (const id of models) {
      const entries = relayed.filter(({ key }) => key === id).map(entryOf);
      const state = (await writers[1]?.get(id))?.state;
      // The relay had no death between append and trim: at least once is once.
      assert.deepEqual(
        entries.map(({ revision }) => revision),
        Array.from({ length: (state?.versions ?? -1) + 1 }, (_, n) => n + 1),
      );
      verifyChain(entries);
    }
  },
);
