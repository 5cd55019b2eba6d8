import assert from "node:assert/strict";
import { test } from "node:test";
import { storeContract } from "../contract.ts";
import { databaseForTests } from "./fixtures/place.ts";
import { openMongoStore } from "./mongo-store.ts";

const database = await databaseForTests();

storeContract(
  "mongo",
  async (place) => {
    const connection = await database.open();
    const { collection } = openMongoStore(connection, place);
    return { collection, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() };
  },
  { skip: database.skip },
);

const other = database.standIn && "the stand-in orders strings by UTF-16, not by UTF-8";
test(
  "mongo: keys above U+FFFF come behind all others",
  { skip: database.skip || other },
  async () => {
    await using connection = await database.open();
    const notes = openMongoStore(connection, "order").collection<{ n: number }>("notes");
    const keys = ["\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"];
    for (const key of keys.toReversed()) await notes.put(key, { n: 1 }, 0);
    for (const prefix of ["", ...keys]) {
      const { items } = await notes.list({ prefix });
      assert.deepEqual(
        items.map((item) => item.key),
        prefix === "" ? keys : [prefix],
      );
    }
  },
);
