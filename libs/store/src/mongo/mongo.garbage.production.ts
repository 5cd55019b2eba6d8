import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "@heddle/base";
import { MongoClient } from "mongodb";
import type { Aggregate } from "../aggregates/aggregate.ts";
import { openAggregates } from "../aggregates/aggregates.ts";
import { relayOutbox } from "../aggregates/relay.ts";
import { databaseForTests } from "./fixtures/place.ts";
import { openMongoStore } from "./mongo-store.ts";
import type { MongoDocument } from "./stored.ts";

const database = await databaseForTests();
const { skip } = database;
const service = "garbage";
const event = { topic: "heddle.models.v1", type: "heddle.registry.v1.ModelEvent", data: {} };

test(
  "what another hand changed or put among the documents that wait for the relay is told of, and holds up no other's events",
  { skip, timeout: 60_000 },
  async () => {
    await using client = new MongoClient(database.url);
    await using connection = await database.open();
    const documents = openMongoStore(connection, service).collection<Aggregate<object>>("models");
    const deps = { clock: systemClock, random: Math.random };
    const open = () => openAggregates(documents, { ...deps, noun: "model" });
    const models = open();
    for (const id of ["changed", "good"]) {
      const asked = { requestId: id, request: {}, actor: "test" };
      await models.create(id, { state: {}, events: [event] }, asked);
    }
    const raw = client.db().collection<MongoDocument>(`${service}.models`);
    await raw.updateOne({ _id: "changed" }, { $set: { value: "{" } });
    const foreign = [
      { _id: 7, pending: true },
      { _id: "foreign", pending: true },
    ];
    await raw.insertMany(foreign as never);

    const stop = new AbortController();
    const relayed: string[] = [];
    const warned = Promise.withResolvers<object>();
    const append = async (_: string, records: readonly { readonly key: string }[]): Promise<void> =>
      void relayed.push(...records.map(({ key }) => key));
    const log = { warn: (facts: object) => warned.resolve(facts) };
    // By a process that has not seen the documents before: who has relays what it remembers.
    const { outbox } = open();
    const relay = relayOutbox([outbox], { append }, { ...deps, service, log }, stop.signal);
    const told = JSON.stringify(await warned.promise);
    stop.abort();
    await relay;
    assert.deepEqual(relayed, ["good"]);
    assert.match(told, new RegExp(`model changed: .*${service}\\.models/changed`));
    // It still waits: whoever restores the document has its events told.
    assert.deepEqual(await documents.pending(10), ["changed", "foreign"]);
  },
);
