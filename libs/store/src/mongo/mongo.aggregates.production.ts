import { aggregatesContract } from "../aggregates/aggregates.contract.ts";
import { databaseForTests } from "./fixtures/place.ts";
import { openMongoStore } from "./mongo-store.ts";

const database = await databaseForTests();

aggregatesContract(
  "mongo",
  async () => {
    const connection = await database.open();
    const { collection } = openMongoStore(connection, "registry");
    return { collection, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() };
  },
  { skip: database.skip },
);
