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
